// `node bench/src/databases.ts [rounds]`: what a turn costs on PostgreSQL beside SQLite, both as users have them: on a disk
// that is waited for. Each act on both, one after the other, in one run.
import type { DataDirectoryHeld, StoreFailed } from "@rejoin/contracts/Errors"
import { MessageId, ThreadId } from "@rejoin/contracts/Ids"
import { ThreadEvents } from "@rejoin/core/events/ThreadEvents"
import { defaults, Settings } from "@rejoin/core/Settings"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { TurnJournal } from "@rejoin/core/turns/TurnJournal"
import * as Database from "@rejoin/persistence/Database"
import * as Postgres from "@rejoin/persistence/Postgres"
import * as SqlThreadStore from "@rejoin/persistence/SqlThreadStore"
import { makePostgresServer } from "@rejoin/testkit/PostgresServer"
import { bindingRecord, threadRecord } from "@rejoin/testkit/ThreadStoreSuite"
import { Clock, Console, Context, Effect, Fiber, Layer, Option, Redacted, Stream } from "effect"
import { NodeServices } from "@effect/platform-node"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { median, report, took } from "./Measure.ts"

const rounds = Number(process.argv[2] ?? "200")
const threadId = ThreadId.make("t1")
const origin = { threadId, generation: 0 }
const turn = {
  threadId,
  input: "hello",
  attachments: { blobs: [], refs: [] },
  delivery: null,
  idempotencyKey: null
}

const serverOn = (store: Layer.Layer<ThreadStore, StoreFailed | DataDirectoryHeld>) =>
  Effect.map(
    Layer.build(
      Layer.fresh(
        TurnJournal.layer.pipe(
          Layer.provideMerge(ThreadEvents.layer),
          Layer.provideMerge(store),
          Layer.provide(Layer.succeed(Settings, defaults))
        )
      )
    ),
    (context) => ({
      store: Context.get(context, ThreadStore),
      events: Context.get(context, ThreadEvents),
      journal: Context.get(context, TurnJournal)
    })
  )

type Server = Effect.Success<ReturnType<typeof serverOn>>

type Failure = Effect.Error<ReturnType<Server["journal"]["accept"]>>

let sent = 0
const acts: Record<string, (server: Server) => Effect.Effect<unknown, Failure>> = {
  accept: ({ journal }) =>
    Effect.flatMap(journal.accept(turn), ({ id }) => journal.settle(id, origin, { status: "completed" })),
  "a turn": Effect.fnUntraced(function* ({ events, journal }: Server) {
    const accepted = yield* journal.accept(turn)
    const message = MessageId.make(`m${sent++}`)
    const begun = Option.getOrThrow(yield* journal.dispatching(accepted, origin, message))
    const cursor = { v: 1, driver: "memory", providerSessionId: "s", storeId: "store" } as never
    yield* journal.running(begun, origin, message, { cursor, kept: true }, {})
    yield* events.emit(origin, { type: "item.started", turnId: accepted.id })
    yield* events.flush
    yield* journal.settle(accepted.id, origin, { status: "completed", output: "done" })
  }),
  "a batch of 20 events": ({ events }) =>
    Effect.andThen(
      Effect.forEach(Array.from({ length: 20 }), () => events.emit(origin, { type: "warning" })),
      events.flush
    ),
  "a page of threads": ({ store }) => store.listThreads({ limit: 50 })
}

const postgres = Effect.acquireRelease(
  Effect.promise(() => makePostgresServer({ durable: true })),
  (server) => Effect.promise(async () => server?.remove())
)

await Effect.runPromise(
  Effect.gen(function* () {
    const directory = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "rejoin-bench-"))),
      (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
    )
    const database = yield* postgres
    if (database === undefined) return yield* Console.log("There is no PostgreSQL for this system.")
    // One of several: each write is fenced.
    const machine = (id: string) =>
      Layer.provide(
        SqlThreadStore.layer,
        Postgres.layer({
          url: Redacted.make(database.url),
          machine: { id, name: id, version: "0" }
        })
      )
    const on = {
      SQLite: Layer.provide(SqlThreadStore.layer, Database.layer(join(directory, "rejoin.db"))),
      PostgreSQL: machine("a")
    }
    const servers = { SQLite: yield* serverOn(on.SQLite), PostgreSQL: yield* serverOn(on.PostgreSQL) }
    for (const { store } of Object.values(servers)) {
      yield* store.insertThread(threadRecord(threadId), bindingRecord(threadId))
      for (let at = 0; at < 200; at++)
        yield* store.insertThread(threadRecord(`o${at}`), bindingRecord(`o${at}`))
    }
    for (const [act, effect] of Object.entries(acts)) {
      const times: Record<string, Array<number>> = { SQLite: [], PostgreSQL: [] }
      for (let round = 0; round < rounds; round++)
        for (const [name, server] of Object.entries(servers))
          times[name]?.push((yield* took(effect(server))).whole)
      const [sqlite = 0, pg = 0] = Object.values(times).map(median)
      yield* Console.log(
        `${act.padEnd(22)} SQLite ${sqlite.toFixed(2)} ms, PostgreSQL ${pg.toFixed(2)} ms: ${(pg / sqlite).toFixed(1)} ×`
      )
      yield* report("databases", { act, sqlite, postgres: pg })
    }
    // How long what one server wrote is on its way to a reader of another.
    const other = yield* serverOn(machine("b"))
    const delays: Array<number> = []

    const from = yield* other.store.lastPosition
    const hearing = yield* other.events.follow(undefined, from).pipe(
      Stream.take(rounds),
      Stream.runForEach(({ data }) =>
        Effect.map(Clock.currentTimeMillis, (now) => void delays.push(now - (data as { at: number }).at))
      ),
      Effect.forkScoped
    )
    for (let round = 0; round < rounds; round++) {
      const at = yield* Clock.currentTimeMillis
      yield* servers.PostgreSQL.events.transact(origin, (emit) =>
        Effect.sync(() => emit({ type: "warning", data: { at } }))
      )
      yield* Effect.sleep("10 millis")
    }
    yield* Fiber.join(hearing)
    yield* Console.log(
      `to another server's reader, from before it is written: ${median(delays).toFixed(1)} ms`
    )
    yield* report("databases", { act: "to another server's reader", postgres: median(delays) })
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
)
