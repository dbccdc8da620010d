// `node bench/src/soak.ts [turns]`: memory over many turns on the in-memory agent, with the threads in SQLite; after
// them a turn of 200,000 deltas with a reader that reads nothing, and 200 threads whose turns run at once.
import { NodeServices } from "@effect/platform-node"
import * as Core from "@rejoin/core/Core"
import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { AdapterEvent } from "@rejoin/core/providers/AdapterEvent"
import { ProviderRegistry } from "@rejoin/core/providers/ProviderRegistry"
import { ProviderService } from "@rejoin/core/ProviderService"
import { Recovery } from "@rejoin/core/life/Recovery"
import { layerInMemoryAdapter } from "@rejoin/core/testing/InMemoryAdapter"
import { InMemoryUpstream } from "@rejoin/core/testing/InMemoryUpstream"
import { ThreadEvents } from "@rejoin/core/events/ThreadEvents"
import { Threads } from "@rejoin/core/threads/Threads"
import { ItemId } from "@rejoin/contracts/Ids"
import * as Database from "@rejoin/persistence/Database"
import * as SqlThreadStore from "@rejoin/persistence/SqlThreadStore"
import { Console, Duration, Effect, FileSystem, Layer, Stream } from "effect"

const turns = Number(process.argv[2] ?? 10_000)
const provider = ProviderInstanceId.make("memory")

const heap = Effect.sync(() => {
  globalThis.gc?.()
  return `${(process.memoryUsage().heapUsed / 1024 / 1024).toFixed(1)} MiB heap`
})

const soak = Effect.gen(function* () {
  const upstream = new InMemoryUpstream()
  const registry = yield* ProviderRegistry
  yield* registry.add(layerInMemoryAdapter(upstream))
  yield* Effect.flatMap(Recovery, ({ reconcile }) => reconcile)
  const threads = yield* Threads
  const service = yield* ProviderService
  const events = yield* ThreadEvents
  const open = Effect.map(threads.create({ provider, cwd: "/tmp" }), ({ thread }) => thread.id)

  for (let done = 0; done < turns; done += 100) {
    if (done % 1000 === 0) yield* Console.log(`${done} turns: ${yield* heap}`)
    // A hundred turns on a thread of their own: the agent's own memory is not what is measured.
    const id = yield* open
    for (let i = 0; i < 100; i++) {
      const turn = yield* service.send(id, { input: "think of it" })
      yield* service.awaitSettled(id, turn.id)
    }
    yield* service.stop(id)
    upstream.sessions.clear()
    upstream.asked.length = 0
  }
  yield* Console.log(`${turns} turns: ${yield* heap}`)

  const id = yield* open
  const held = yield* service.send(id, { input: "hold" })
  yield* events.follow(id, 0).pipe(
    Stream.filter(({ type }) => type === "turn.started"),
    Stream.take(1),
    Stream.runDrain
  )
  // It takes the first event and no other.
  yield* Effect.forkChild(events.follow(id, 0).pipe(Stream.runForEach(() => Effect.never)))
  const item = { id: ItemId.make("long"), kind: "assistant-message", status: "started", text: "" } as const
  upstream.tell(AdapterEvent.ItemStarted({ item }))
  for (let i = 0; i < 200_000; i++) {
    upstream.tell(AdapterEvent.ItemDelta({ itemId: item.id, field: "text", delta: "word " }))
    if (i % 1000 === 0) yield* Effect.sleep("1 millis")
  }
  upstream.tell(AdapterEvent.ItemCompleted({ item: { ...item, status: "completed" } }))
  yield* service.interrupt(id)
  yield* service.awaitSettled(id, held.id)
  yield* Console.log(`a turn of 200,000 deltas, with a reader that does not read: ${yield* heap}`)

  const many = yield* Effect.forEach(Array.from({ length: 200 }), () => open)
  const [took] = yield* Effect.timed(
    Effect.forEach(
      many,
      (id) =>
        Effect.flatMap(service.send(id, { input: "hello" }), (turn) => service.awaitSettled(id, turn.id)),
      { concurrency: "unbounded" }
    )
  )
  yield* Console.log(`200 threads at once: ${Duration.format(took)}, ${yield* heap}`)
})

const store = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const directory = yield* fs.makeTempDirectoryScoped({ prefix: "rejoin-bench-" })
    return Layer.provide(SqlThreadStore.layer, Database.layer(`${directory}/rejoin.db`))
  })
)

await Effect.runPromise(
  soak.pipe(Effect.provide(Core.layer.pipe(Layer.provide(store), Layer.provide(NodeServices.layer))))
)
