import { assert, describe, it } from "@effect/vitest"
import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { AdapterEvent } from "@rejoin/core/providers/AdapterEvent"
import type { TurnRecord } from "@rejoin/core/store/Records"
import { Context, Deferred, Effect, Exit, Layer, Option, Queue, Schedule, Scope, Stream } from "effect"
import * as Postgres from "./Postgres.ts"
import { Singleton } from "./Singleton.ts"
import { freshSchema, hasPostgres } from "./testing/FreshPostgres.ts"
import { beside, lease, machine, type Machine } from "./testing/TestMachine.ts"

/** Its session is alive, and its turn goes on until it is ended. */
const hold = Effect.fnUntraced(function* ({ events, service }: Machine, thread: ThreadId) {
  const turn = yield* service.send(thread, { input: "hold" })
  yield* heard(events, thread, turn.id, "turn.started")
  return turn.id
})

const heard = (events: Machine["events"], thread: ThreadId, turn: TurnId, type: string) =>
  events.follow(thread, 0).pipe(
    Stream.filter((event) => event.turnId === turn && event.type === type),
    Stream.runHead,
    Effect.timeout("20 seconds")
  )

const outcomes = ({ store }: Machine, thread: ThreadId) =>
  Effect.map(store.listReceipts(thread, { limit: 9 }), (receipts) => receipts.map(({ outcome }) => outcome))

const textOf = ({ output, status }: TurnRecord) => `${status}: ${output}`

describe.skipIf(!hasPostgres)("M: several machines on one database", () => {
  it.live("M2, M3: what any server accepts is run by the one that has the thread, and by no other", () =>
    Effect.gen(function* () {
      const config = yield* freshSchema
      const [a, b] = [yield* machine(config, "a"), yield* machine(config, "b")]
      const thread = yield* a.open
      assert.strictEqual(textOf(yield* a.say(thread, "one")), "completed: one")
      assert.strictEqual(textOf(yield* b.say(thread, "two")), "completed: one | two")
      assert.strictEqual(Option.getOrThrow(yield* b.store.ownership.placeOf(thread)).machine, "a")
      assert.isTrue(Option.isNone(yield* a.store.ownership.placeOf(thread)))
      assert.deepEqual(
        (yield* b.store.ownership.machines).map(({ id, lives, threads }) => [id, lives, threads]),
        [
          ["b", true, 0],
          ["a", true, 1]
        ]
      )
      const refused = yield* Effect.flip(b.service.start(thread))
      assert.deepInclude(refused, { _tag: "StoreFailed", elsewhere: "a" })
      assert.lengthOf(b.upstream.asked, 0)
      // What is changed in the queue, and what waits for its time, is seen there too.
      const held = yield* hold(a, thread)
      const queued = yield* b.service.send(thread, { input: "three" })
      yield* b.service.editTurn(thread, queued.id, { input: "four" })
      yield* a.service.interrupt(thread)
      assert.strictEqual((yield* b.service.awaitSettled(thread, held)).status, "interrupted")
      assert.include(textOf(yield* b.service.awaitSettled(thread, queued.id)), "two | hold | four")
      assert.lengthOf(b.upstream.asked, 0)
    }).pipe(Effect.scoped)
  )

  it.live("a thread that nobody has is taken by one of those who want it at once", () =>
    Effect.gen(function* () {
      const config = yield* freshSchema
      const [a, b] = [yield* machine(config, "a"), yield* machine(config, "b")]
      const sql = yield* beside(config)
      for (let round = 0; round < 20; round++) {
        const thread = yield* a.open
        yield* sql`UPDATE thread SET owner = NULL WHERE id = ${thread}`
        const claims = yield* Effect.all(
          [a, b].map(({ store }) => Effect.result(store.ownership.claim(thread))),
          { concurrency: 2 }
        )
        assert.sameMembers(
          claims.map(({ _tag }) => _tag),
          ["Success", "Failure"]
        )
      }
    }).pipe(Effect.scoped)
  )

  it.live("M8: a server that begins touches nothing that is another one's, and settles what is its own", () =>
    Effect.gen(function* () {
      const config = yield* freshSchema
      const a = yield* machine(config, "a")
      const thread = yield* a.open
      const held = yield* hold(a, thread)
      const b = yield* machine(config, "b")
      assert.deepEqual(yield* b.reconcile, { intents: 0, rerun: 0, interrupted: 0, completed: 0 })
      assert.strictEqual(Option.getOrThrow(yield* b.store.getTurn(held)).status, "running")
      assert.strictEqual(Option.getOrThrow(yield* b.store.getBinding(thread)).status, "running")
      // The same machine again, while the first one hangs: it has all that is its own, at once.
      const again = yield* machine(config, "a")
      assert.deepInclude(yield* again.reconcile, { interrupted: 1 })
      const late = yield* Effect.flip(a.service.send(thread, { input: "late" }))
      assert.include(late.message, "Another server with the id of this machine")
    }).pipe(Effect.scoped)
  )

  it.live(
    "M4, M5, law 6: a machine that is frozen loses its threads, writes nothing of them when it is back, and ends their sessions",
    () =>
      Effect.gen(function* () {
        const config = yield* freshSchema
        const [a, b] = [yield* machine(config, "a"), yield* machine(config, "b")]
        const thread = yield* a.open
        yield* a.say(thread, "one")
        yield* a.keep(thread)
        const held = yield* hold(a, thread)
        yield* a.cut
        // Its agent works on, and tells of it.
        a.upstream.tell(AdapterEvent.Warning({ message: "told while it was frozen", detail: null }))
        const next = yield* b.service.send(thread, { input: "two" })
        const answered = yield* Effect.timeout(b.service.awaitSettled(thread, next.id), "20 seconds")
        assert.strictEqual(Option.getOrThrow(yield* b.store.getTurn(held)).status, "interrupted")
        // The model there has been told all that our copy has.
        assert.strictEqual(textOf(answered), "completed: one | two")
        assert.strictEqual((yield* outcomes(b, thread))[0], "rehydrated")
        const { lastSeq } = yield* b.threads.record(thread)
        const live = a.sessions.get(thread)
        assert.isDefined(live)
        yield* a.heal
        if (live) yield* Effect.timeout(Deferred.await(live.closed), "20 seconds")
        assert.strictEqual(a.upstream.open, 0)
        const after = yield* b.store.readEvents({ threadId: thread, afterSeq: 0 }, 999)
        assert.strictEqual(after.at(-1)?.seq, lastSeq)
        assert.notInclude(JSON.stringify(after), "told while it was frozen")
        // It is one of them again: what it is asked is run where the thread is now.
        assert.strictEqual(textOf(yield* a.say(thread, "three")), "completed: one | two | three")
        assert.lengthOf(b.upstream.asked, 2)
      }).pipe(Effect.scoped)
  )

  it.live("M4, law 2: where there is no copy it waits for its machine, and is never begun anew", () =>
    Effect.gen(function* () {
      const config = yield* freshSchema
      const [a, b] = [
        yield* machine(config, "a", { keepsCopies: false }),
        yield* machine(config, "b", { keepsCopies: false })
      ]
      const thread = yield* a.open
      yield* a.say(thread, "one")
      yield* a.cut
      const refused = yield* Effect.timeout(b.say(thread, "two"), "20 seconds")
      assert.deepInclude(refused.error, { _tag: "MachineAway", machine: "a" })
      // The turn's end is told before its lease is free.
      const start = Effect.retry(b.service.start(thread), { while: ({ _tag }) => _tag === "StartInProgress" })
      assert.deepInclude(yield* Effect.flip(start), { _tag: "MachineAway" })
      assert.lengthOf(b.upstream.asked, 0)
      yield* a.heal
      assert.strictEqual(textOf(yield* b.say(thread, "three")), "completed: one | three")
      assert.lengthOf(b.upstream.asked, 0)
    }).pipe(Effect.scoped)
  )

  it.live("where the database was away for all of them, nobody takes anything from anybody", () =>
    Effect.gen(function* () {
      const config = yield* freshSchema
      const machines = [yield* machine(config, "a"), yield* machine(config, "b")]
      const threads = yield* Effect.forEach(machines, (one) => one.open)
      for (const [at, one] of machines.entries()) yield* hold(one, threads[at] ?? threads[0]!)
      const sql = yield* beside(config)
      const living = (howMany: number) =>
        Effect.repeat(sql`SELECT id FROM machine WHERE lease_until > clock_timestamp()`, {
          until: (rows) => rows.length === howMany,
          schedule: Schedule.spaced("20 millis")
        })
      for (const { cut } of machines) yield* cut
      yield* living(0)
      // One is back before the other, and wants what seems to be nobody's.
      for (const [at, one] of machines.entries()) {
        yield* one.heal
        yield* living(at + 1)
        const other = threads[1 - at] ?? threads[0]!
        assert.isDefined((yield* Effect.flip(one.store.ownership.claim(other))).elsewhere)
      }
      for (const [at, one] of machines.entries()) {
        assert.lengthOf(yield* one.store.ownership.ours([threads[at]!]), 1)
        assert.strictEqual(one.upstream.open, 1)
      }
    }).pipe(Effect.scoped)
  )

  it.live("one that wants the database alone and several that share it keep each other out", () =>
    Effect.gen(function* () {
      const config = yield* freshSchema
      const sql = yield* beside(config)
      const begin = <A, E>(layer: Layer.Layer<A, E>) =>
        Effect.gen(function* () {
          const scope = yield* Effect.flatMap(Effect.scope, Scope.fork)
          yield* Scope.provide(Layer.build(Layer.fresh(layer)), scope)
          return { end: Scope.close(scope, Exit.void) }
        })
      const alone = begin(Postgres.layerAlone({ ...config, machine: "a" }))
      const shared = (id: string) =>
        begin(Postgres.layer({ ...config, machine: { id, name: id, version: "0", lease } }))
      const { end } = yield* alone
      assert.include(String(yield* Effect.flip(shared("a"))), "Another server works on this database")
      yield* sql`INSERT INTO thread (id, last_seq, created_at, record_json) VALUES ('t', 0, '', '')`
      yield* end
      // What it began alone is its own when it is one of several, and no other one's.
      const several = [yield* shared("b"), yield* shared("a")]
      assert.deepEqual(yield* sql`SELECT owner, home FROM thread`, [{ owner: "a", home: "a" }])
      assert.include(String(yield* Effect.flip(alone)), "Another server works on this database")
      for (const { end } of several) yield* end
      yield* (yield* alone).end
    }).pipe(Effect.scoped)
  )

  it.live("M8: what must run once is run by one of them, and goes on elsewhere when that one is gone", () =>
    Effect.gen(function* () {
      const config = yield* freshSchema
      const sql = yield* beside(config)
      const runs: Array<string> = []
      const started = yield* Queue.unbounded<string>()
      const server = Effect.fnUntraced(function* (id: string) {
        const scope = yield* Effect.flatMap(Effect.scope, Scope.fork)
        const context = yield* Scope.provide(
          Layer.build(
            Layer.fresh(Postgres.layer({ ...config, machine: { id, name: id, version: "0", lease } }))
          ),
          scope
        )
        const once = Context.get(context, Singleton)
        const run = Effect.acquireUseRelease(
          Effect.sync(() => runs.push(id)),
          () => Effect.andThen(Queue.offer(started, id), Effect.never),
          () => Effect.sync(() => runs.splice(runs.indexOf(id), 1))
        )
        if (once !== undefined) yield* Effect.forkIn(once("it", run), scope)
        return Scope.close(scope, Exit.void)
      })
      const ends = new Map([
        ["a", yield* server("a")],
        ["b", yield* server("b")]
      ])
      const first = yield* Queue.take(started)
      yield* ends.get(first) ?? Effect.void
      const second = yield* Queue.take(started)
      assert.notStrictEqual(second, first)
      assert.deepEqual(runs, [second])
      // Its connection is lost: it ends what it runs, and begins anew where it has the lock again.
      yield* sql`SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE locktype = 'advisory' AND classid = (SELECT hashtext(${config.schema})::oid) AND objid <> 4319`
      assert.strictEqual(yield* Queue.take(started), second)
      assert.deepEqual(runs, [second])
    }).pipe(Effect.scoped)
  )

  it.live(
    "what a machine hands over is restored by the next one that is asked, and the first takes nothing back",
    () =>
      Effect.gen(function* () {
        const config = yield* freshSchema
        const [a, b] = [yield* machine(config, "a"), yield* machine(config, "b")]
        const thread = yield* a.open
        yield* a.say(thread, "one")
        assert.strictEqual(yield* a.draining.drain("5 seconds"), 0)
        assert.strictEqual(yield* a.draining.handOver, 1)
        assert.strictEqual(a.upstream.open, 0)
        const refused = yield* Effect.flip(a.service.start(thread))
        assert.deepInclude(refused, { _tag: "StoreFailed", elsewhere: "none" })
        // What is sent to the one that leaves is run by the other.
        assert.strictEqual(textOf(yield* a.say(thread, "two")), "completed: one | two")
        assert.strictEqual((yield* outcomes(b, thread))[0], "rehydrated")
        assert.lengthOf(a.upstream.asked, 1)
      }).pipe(Effect.scoped)
  )

  it.live("what was committed, while the answer to that was lost, is there once", () =>
    Effect.gen(function* () {
      const a = yield* machine(yield* freshSchema, "a")
      const thread = yield* a.open
      const { generation } = Option.getOrThrow(yield* a.store.getBinding(thread))
      const origin = { threadId: thread, generation }
      yield* a.loseCommit
      yield* a.events.transact(origin, (emit) => Effect.sync(() => emit({ type: "warning", data: 1 })))
      yield* a.loseCommit
      yield* a.events.emit(origin, { type: "warning", data: 2 })
      yield* a.events.flush
      yield* a.loseCommit
      const turn = yield* a.service.send(thread, { input: "one" })
      assert.strictEqual((yield* a.service.awaitSettled(thread, turn.id)).status, "completed")
      assert.lengthOf(a.upstream.asked, 1)
      const told = yield* a.store.readEvents({ threadId: thread, afterSeq: 0 }, 99)
      const of = (type: string) => told.filter((event) => event.type === type)
      assert.deepEqual(
        of("warning").map(({ data }) => data),
        [1, 2]
      )
      assert.lengthOf(of("turn.accepted"), 1)
      assert.lengthOf(yield* a.store.listTurns(thread, { limit: 9 }), 1)
    }).pipe(Effect.scoped)
  )

  it.live("N7: the doctor sees what is this machine's, what cannot be read, and who the others are", () =>
    Effect.gen(function* () {
      const config = yield* freshSchema
      const [a, b] = [yield* machine(config, "a"), yield* machine(config, "b")]
      const [own, other] = [yield* a.open, yield* b.open]
      for (const [one, thread] of [
        [a, own],
        [b, other]
      ] as const)
        yield* one.say(thread, "one")
      yield* hold(a, own)
      const sql = yield* beside(config)
      yield* sql`UPDATE item SET record_json = '{' WHERE ordinal IN (
        SELECT min(ordinal) FROM item GROUP BY thread_id)`
      const look = (id: string | undefined) =>
        Postgres.inspect({ ...config, machine: Option.fromUndefinedOr(id) })
      const { inspection, machines } = yield* look("a")
      assert.deepEqual(
        machines.map(({ id, lives }) => [id, lives]),
        [
          ["a", true],
          ["b", true]
        ]
      )
      assert.deepEqual(
        inspection.threads.map(({ id }) => id),
        [own]
      )
      assert.deepEqual(
        inspection.bindings.map(({ threadId }) => threadId),
        [own]
      )
      assert.deepEqual(
        inspection.unreadable.map(({ table, thread }) => [table, thread]),
        [["item", own]]
      )
      assert.strictEqual(inspection.openTurns, 1)
      // One that is none of them looks at everything.
      assert.lengthOf((yield* look(undefined)).inspection.threads, 2)
      yield* sql`UPDATE rejoin_migrations SET migration_id = 999`
      assert.include((yield* Effect.flip(look("a"))).message, "schema 999")
    }).pipe(Effect.scoped)
  )

  it.live(
    "M4: there and back: the machine that had it first, and has what it was then, is given what was said since",
    () =>
      Effect.gen(function* () {
        const config = yield* freshSchema
        const [a, b] = [yield* machine(config, "a"), yield* machine(config, "b")]
        const thread = yield* a.open
        yield* a.say(thread, "one")
        yield* a.keep(thread)
        yield* a.cut
        assert.strictEqual(textOf(yield* b.say(thread, "two")), "completed: one | two")
        yield* b.keep(thread)
        yield* a.heal
        yield* b.cut
        const back = yield* a.say(thread, "three")
        assert.strictEqual(textOf(back), "completed: one | two | three", JSON.stringify(back.error))
        assert.deepEqual((yield* outcomes(a, thread)).slice(0, 2), ["rehydrated", "rehydrated"])
      }).pipe(Effect.scoped)
  )

  it.live("a graceful stop keeps what is its own: who comes back at once goes on with it", () =>
    Effect.gen(function* () {
      const config = yield* freshSchema
      const [a, b] = [yield* machine(config, "a"), yield* machine(config, "b")]
      const thread = yield* a.open
      yield* a.say(thread, "one")
      yield* a.stop
      const queued = yield* b.service.send(thread, { input: "two" })
      const again = yield* machine(config, "a")
      again.upstream.sessions.clear()
      for (const [id, session] of a.upstream.sessions) again.upstream.sessions.set(id, session)
      yield* again.reconcile
      assert.strictEqual(textOf(yield* b.service.awaitSettled(thread, queued.id)), "completed: one | two")
      assert.lengthOf(b.upstream.asked, 0)
    }).pipe(Effect.scoped)
  )
})
