import { assert, describe, it } from "@effect/vitest"
import type { StoreFailed } from "@rejoin/contracts/Errors"
import { MessageId, ProviderInstanceId, ThreadId, type TurnId } from "@rejoin/contracts/Ids"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { BundleSpool } from "@rejoin/core/bundle/BundleSpool"
import * as Core from "@rejoin/core/Core"
import { ThreadEvents } from "@rejoin/core/events/ThreadEvents"
import { ProviderRegistry } from "@rejoin/core/providers/ProviderRegistry"
import { defaults, Settings } from "@rejoin/core/Settings"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { TerminalHost } from "@rejoin/core/terminal/TerminalHost"
import { layerInMemoryAdapter } from "@rejoin/core/testing/InMemoryAdapter"
import { InMemoryUpstream } from "@rejoin/core/testing/InMemoryUpstream"
import { Threads } from "@rejoin/core/threads/Threads"
import { WorkingDirectory } from "@rejoin/core/threads/WorkingDirectory"
import { makeEditQueued } from "@rejoin/core/turns/QueueEdit"
import { TurnDispatcher } from "@rejoin/core/turns/TurnDispatcher"
import { TurnJournal } from "@rejoin/core/turns/TurnJournal"
import { bindingRecord, threadRecord } from "@rejoin/testkit/ThreadStoreSuite"
import { Context, Effect, Fiber, Layer, Option, Result, Stream } from "effect"
import * as Database from "./Database.ts"
import * as Postgres from "./Postgres.ts"
import * as SqlThreadStore from "./SqlThreadStore.ts"
import { endListeners, freshSchema, hasPostgres } from "./testing/FreshPostgres.ts"

/** Stores of two servers on one database: on PostgreSQL each has its own connections, on SQLite there is one. */
const databases = [
  [
    "SQLite",
    Effect.map(
      Layer.build(Layer.provide(SqlThreadStore.layer, Database.layer(":memory:"))),
      (context) => [Context.get(context, ThreadStore), Context.get(context, ThreadStore)] as const
    ),
    undefined
  ],
  ...(hasPostgres
    ? [
        [
          "PostgreSQL",
          Effect.gen(function* () {
            const config = yield* freshSchema
            const store = Effect.map(
              Layer.build(
                Layer.fresh(
                  Layer.provide(SqlThreadStore.layer, Postgres.layer({ ...config, connections: 4 }))
                )
              ),
              Context.get(ThreadStore)
            )
            return [yield* store, yield* store] as const
          }),
          endListeners
        ] as const
      ]
    : [])
] as const

const core = (store: ThreadStore["Service"]) =>
  Effect.gen(function* () {
    const context = yield* Layer.build(
      Layer.fresh(
        Core.layerManual.pipe(
          Layer.provide(
            Layer.mergeAll(WorkingDirectory.layerAnything, TerminalHost.layerNone, BundleSpool.layerMemory)
          ),
          Layer.provide(Layer.succeed(Settings, defaults)),
          Layer.provideMerge(Layer.succeed(ThreadStore, store))
        )
      )
    )
    // What is raced is done by hand.
    yield* Context.get(context, TurnDispatcher).pause
    yield* Context.get(context, ProviderRegistry).add(layerInMemoryAdapter(new InMemoryUpstream()))
    const events = Context.get(context, ThreadEvents)
    return {
      store,
      events,
      journal: Context.get(context, TurnJournal),
      threads: Context.get(context, Threads),
      edit: makeEditQueued(store, events)
    }
  })

type Server = Effect.Success<ReturnType<typeof core>>

/** Both at once, whatever becomes of each. */
const both = <A, E, B, F>(left: Effect.Effect<A, E>, right: Effect.Effect<B, F>) =>
  Effect.all([Effect.result(left), Effect.result(right)], { concurrency: 2 })

const said = <A, E>(result: Result.Result<A, E>) => Result.getOrUndefined(result)

const tries = 12

describe.for(databases)("M1, M2: two servers on one database, %s", ([, stores, deaf]) => {
  /** On a thread of its own each time. */
  const race = <E>(body: (a: Server, b: Server, id: ThreadId) => Effect.Effect<void, E>) =>
    Effect.gen(function* () {
      const [first, second] = yield* stores
      const a = yield* core(first)
      const b = yield* core(second)
      for (let at = 0; at < tries; at++) {
        const id = ThreadId.make(`t${at}`)
        yield* first.insertThread(threadRecord(id, { title: "before" }), bindingRecord(id))
        yield* body(a, b, id)
      }
      const told = yield* first.readEvents({ afterPosition: 0 }, 10_000)
      assert.deepEqual(
        told.map(({ position }) => position),
        told.map((_, at) => at + 1),
        "positions have no gap"
      )
      for (const [, own] of Map.groupBy(told, ({ threadId }: RuntimeEvent) => threadId))
        assert.deepEqual(
          own.map(({ seq }) => seq),
          own.map((_, at) => at + 1)
        )
    }).pipe(Effect.scoped)

  const turn = (threadId: ThreadId, input: string, idempotencyKey: string | null = null) => ({
    threadId,
    input,
    attachments: { blobs: [], refs: [] },
    delivery: null,
    idempotencyKey
  })
  const accept = ({ journal }: Server, threadId: ThreadId, input: string, key: string | null = null) =>
    journal.accept(turn(threadId, input, key))
  const origin = (threadId: ThreadId) => ({ threadId, generation: 0 })
  const stored = ({ store }: Server, id: TurnId) => Effect.map(store.getTurn(id), Option.getOrThrow)

  it.live("N8: one key is one turn, whichever server it is sent to", () =>
    race((a, b, id) =>
      Effect.gen(function* () {
        const [x, y] = yield* both(accept(a, id, "hi", "key"), accept(b, id, "hi", "key"))
        assert.isDefined(said(x)?.id)
        assert.strictEqual(said(x)?.id, said(y)?.id)
        assert.lengthOf(yield* a.store.listTurns(id, { limit: 9 }), 1)
      })
    )
  )

  it.live(
    "law 6: what is withdrawn here is not sent there; what is changed here is sent as it is there",
    () =>
      race((a, b, id) =>
        Effect.gen(function* () {
          const one = yield* accept(a, id, "one")
          const [withdrawn, sent] = yield* both(
            a.journal.withdraw(one.id, origin(id)),
            b.journal.dispatching(one, origin(id), MessageId.make(`m${id}`))
          )
          const isSent = Option.isSome(said(sent) ?? Option.none())
          assert.notStrictEqual(said(withdrawn), isSent)
          if (isSent) yield* b.journal.settle(one.id, origin(id), { status: "completed" })
          const two = yield* accept(b, id, "two")
          const [changed, dispatched] = yield* both(
            a.edit(id, two.id, { input: "other" }),
            b.journal.dispatching(two, origin(id), MessageId.make(`n${id}`))
          )
          const now = yield* stored(a, two.id)
          const isDispatched = Option.isSome(said(dispatched) ?? Option.none())
          assert.strictEqual(now.status, isDispatched ? "dispatching" : "accepted")
          assert.strictEqual(now.input, isDispatched ? "two" : "other")
          assert.strictEqual(Result.isSuccess(changed), !isDispatched)
        })
      )
  )

  it.live("a turn is settled once; what was asked of it in between is not forgotten", () =>
    race((a, b, id) =>
      Effect.gen(function* () {
        const one = yield* accept(a, id, "one")
        const message = MessageId.make(`m${id}`)
        const dispatched = Option.getOrThrow(yield* a.journal.dispatching(one, origin(id), message))
        const cursor = { v: 1, driver: "memory", providerSessionId: `s${id}`, storeId: "store" } as never
        yield* both(
          a.journal.running(dispatched, origin(id), message, { cursor, kept: true }, {}),
          b.journal.interrupting(one.id)
        )
        assert.deepInclude(yield* stored(a, one.id), { status: "running", interruptAsked: true })
        const [x, y] = yield* both(
          a.journal.settle(one.id, origin(id), { status: "completed", output: "done" }),
          b.journal.settle(one.id, origin(id), { status: "interrupted" })
        )
        assert.sameMembers([said(x), said(y)], [true, false])
        const ends = (yield* a.store.readEvents({ threadId: id, afterSeq: 0 }, 99)).filter(({ type }) =>
          ["turn.completed", "turn.interrupted"].includes(type)
        )
        assert.lengthOf(ends, 1)
      })
    )
  )

  it.live("steers at once are both there, and each can be taken back", () =>
    race((a, b, id) =>
      Effect.gen(function* () {
        const one = yield* accept(a, id, "one")
        const steer = (server: Server, name: string) =>
          server.journal.steer(one.id, turn(id, name), MessageId.make(`${name}${id}`))
        yield* both(steer(a, "s1"), steer(b, "s2"))
        assert.sameMembers(
          (yield* stored(a, one.id)).steers.map(({ input }) => input),
          ["s1", "s2"]
        )
        yield* both(a.journal.unsteer(one.id, MessageId.make(`s1${id}`)), steer(b, "s3"))
        assert.sameMembers(
          (yield* stored(a, one.id)).steers.map(({ input }) => input),
          ["s2", "s3"]
        )
      })
    )
  )

  it.live("a title that is given here and an end that comes there are both kept", () =>
    race((a, b, id) =>
      Effect.gen(function* () {
        const one = yield* accept(a, id, "one")
        const rename = b.events.transact(origin(id), () =>
          Effect.gen(function* () {
            const thread = Option.getOrThrow(yield* b.store.getThread(id))
            yield* b.store.saveThread({ ...thread, title: "renamed" })
          })
        )
        yield* both(a.journal.settle(one.id, origin(id), { status: "failed" }), rename)
        const thread = Option.getOrThrow(yield* a.store.getThread(id))
        assert.deepInclude(thread, { title: "renamed", status: "error" })
      })
    )
  )

  it.live("T1: one key is one thread; two starts of one thread are two generations", () =>
    race((a, b, id) =>
      Effect.gen(function* () {
        const create = ({ threads }: Server) =>
          threads.create({
            provider: ProviderInstanceId.make("memory"),
            cwd: "/work",
            key: { agent: "a", external: id }
          })
        const [x, y] = yield* both(create(a), create(b))
        assert.isDefined(said(x))
        assert.strictEqual(said(x)?.thread.id, said(y)?.thread.id)
        assert.sameMembers([said(x)?.created, said(y)?.created], [true, false])
        const [m, n] = yield* both(a.store.nextGeneration(id), b.store.nextGeneration(id))
        assert.sameMembers([said(m), said(n)], [1, 2])
      })
    )
  )

  it.live("M7: batches over the same threads, each in its own order, are all written, and in one order", () =>
    race((a, b, id) =>
      Effect.gen(function* () {
        const ids = Array.from({ length: 30 }, (_, at) => ThreadId.make(`${id}-${at}`))
        for (const one of ids) yield* a.store.insertThread(threadRecord(one), bindingRecord(one))
        const tell = ({ events }: Server, threads: ReadonlyArray<ThreadId>) =>
          Effect.andThen(
            Effect.forEach(threads, (one) => events.emit(origin(one), { type: "warning" })),
            events.flush
          )
        const results = yield* both(tell(a, ids), tell(b, ids.toReversed()))
        assert.isTrue(results.every(Result.isSuccess))
        for (const one of ids)
          assert.lengthOf(yield* a.store.readEvents({ threadId: one, afterSeq: 0 }, 9), 2)
      })
    )
  )

  // Of two on SQLite neither hears the other, and there are none: one server holds a data directory (law 5).
  if (deaf === undefined) return
  it.live(
    "M7: readers of either hear of everything once, in one order, whatever commits first; also when nobody tells",
    () =>
      Effect.gen(function* () {
        const [first, second] = yield* stores
        const servers = [yield* core(first), yield* core(second)]
        const threads = Array.from({ length: 4 }, (_, at) => ThreadId.make(`t${at}`))
        for (const id of threads) yield* first.insertThread(threadRecord(id), bindingRecord(id))
        const rounds = 40
        const all = rounds * servers.length * 3
        const read = (follow: Stream.Stream<RuntimeEvent, StoreFailed>, howMany: number) =>
          Effect.forkScoped(Effect.timeout(Stream.runCollect(Stream.take(follow, howMany)), "20 seconds"))
        const everything = yield* Effect.forEach(servers, ({ events }) =>
          read(events.follow(undefined, 0), all)
        )
        const one = threads[0] ?? ThreadId.make("")
        const ofOne = yield* Effect.forEach(servers, ({ events }) => read(events.follow(one, 0), all / 4))
        const tell = ({ events }: Server, name: string) =>
          Effect.forEach(Array.from({ length: rounds }), (_, round) =>
            Effect.gen(function* () {
              const id = threads[round % threads.length] ?? one
              // One in a transaction, and two in a batch.
              yield* events.transact(origin(id), (emit) =>
                Effect.sync(() => emit({ type: "warning", data: { name, round } }))
              )
              yield* events.emit(origin(id), { type: "warning", data: { name, round } })
              yield* events.emit(origin(id), { type: "usage.updated", data: { name, round } })
              if (round === rounds / 2) yield* deaf
            })
          )
        yield* Effect.all(
          servers.map((server, at) => tell(server, `server ${at}`)),
          { concurrency: "unbounded" }
        )
        for (const fiber of everything)
          assert.deepEqual(
            (yield* Fiber.join(fiber)).map(({ position }) => position),
            Array.from({ length: all }, (_, at) => at + 1)
          )
        for (const fiber of ofOne)
          assert.deepEqual(
            (yield* Fiber.join(fiber)).map(({ seq }) => seq),
            Array.from({ length: all / 4 }, (_, at) => at + 1)
          )
        // Who comes later, to whichever server, is told the same.
        const [a, b] = yield* Effect.forEach(servers, ({ events }) =>
          Stream.runCollect(Stream.take(events.follow(undefined, 17), all - 17))
        )
        assert.deepEqual(a, b)
      }).pipe(Effect.scoped)
  )
})
