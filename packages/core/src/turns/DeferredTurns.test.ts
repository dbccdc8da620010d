import { assert, describe, it } from "@effect/vitest"
import { timestampOf } from "@rejoin/contracts/Time"
import type { ThreadId } from "@rejoin/contracts/Ids"
import type { TurnRecord } from "../store/Records.ts"
import { Clock, Duration, Effect, Option } from "effect"
import { TestClock } from "effect/testing"
import { ProviderService } from "../ProviderService.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { event, makeWorld, openThread, say, settled } from "../testing/World.ts"
import { Threads } from "../threads/Threads.ts"
import { DeferredTurns } from "./DeferredTurns.ts"

const wake = Effect.flatMap(DeferredTurns, (deferred) => deferred.wake)

const inSeconds = (seconds: number) =>
  Effect.map(Clock.currentTimeMillis, (at) => timestampOf(at + seconds * 1000))

/** The turn that waits for its time on this thread. */
const waiting = Effect.fnUntraced(function* (threadId: ThreadId) {
  const store = yield* ThreadStore
  const [turn] = yield* store.deferredTurns({ threadId })
  return turn ?? (yield* Effect.die("no turn waits"))
})

const limit = (seconds: number, does: "fail" | "forget" | "put-off" | "silent" = "fail") =>
  Effect.map(Clock.currentTimeMillis, (at) => ({ until: at + seconds * 1000, does }))

const statusOf = (id: TurnRecord["id"]) =>
  Effect.flatMap(ThreadStore, (store) =>
    Effect.map(store.getTurn(id), (turn) => Option.getOrThrow(turn).status)
  )

describe("turns that wait for a time", () => {
  it.effect("U1: one begins at its time and not before, once, and holds up no other", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const id = yield* openThread()
          yield* say(id, "one")
          const later = yield* service.send(id, { input: "later", notBefore: yield* inSeconds(3600) })
          assert.strictEqual(later.status, "deferred")
          assert.strictEqual((yield* say(id, "now")).output, "one | now")
          yield* TestClock.adjust("59 minutes")
          yield* wake
          assert.strictEqual(yield* statusOf(later.id), "deferred")
          assert.strictEqual((yield* Effect.flatMap(Threads, (t) => t.get(id))).waitsUntil, later.notBefore)
          yield* TestClock.adjust("1 minute")
          yield* wake
          yield* wake
          assert.strictEqual((yield* settled(id, later.id)).output, "one | now | later")
          assert.lengthOf(world.upstream.asked, 3)
          // It stands where it was said, not where it was written down.
          const store = yield* ThreadStore
          assert.deepEqual(
            (yield* store.listTurns(id, { limit: 9 })).map(({ input }) => input),
            ["one", "now", "later"]
          )
        })
      )
    })
  )

  it.effect("U1: it waits over a restart, and a machine that slept past its time runs it then", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { id, turn } = yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const id = yield* openThread()
          return { id, turn: yield* service.send(id, { input: "later", notBefore: yield* inSeconds(60) }) }
        })
      )
      yield* world.life(
        Effect.andThen(
          wake,
          Effect.map(statusOf(turn.id), (is) => assert.strictEqual(is, "deferred"))
        )
      )
      yield* TestClock.adjust("3 days")
      yield* world.life(
        Effect.gen(function* () {
          yield* wake
          assert.strictEqual((yield* settled(id, turn.id)).output, "later")
        })
      )
      yield* world.life(wake)
      assert.lengthOf(world.upstream.asked, 1)
    })
  )

  it.effect("U1: a clock that is set back waits for its time again, and runs nothing twice", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const id = yield* openThread()
          yield* TestClock.setTime(Date.parse("2026-06-01T12:00:00Z"))
          const [first, second] = [
            yield* service.send(id, { input: "first", notBefore: yield* inSeconds(60) }),
            yield* service.send(id, { input: "second", notBefore: yield* inSeconds(120) })
          ]
          yield* TestClock.setTime(Date.parse("2026-06-01T12:01:00Z"))
          yield* wake
          assert.strictEqual((yield* settled(id, first.id)).status, "completed")
          yield* TestClock.setTime(Date.parse("2026-06-01T11:00:00Z"))
          yield* wake
          assert.strictEqual(yield* statusOf(second.id), "deferred")
          yield* TestClock.setTime(Date.parse("2026-06-01T12:02:00Z"))
          yield* wake
          assert.strictEqual((yield* settled(id, second.id)).output, "first | second")
          assert.lengthOf(world.upstream.asked, 2)
        })
      )
    })
  )

  it.effect(
    "U5: it can be changed, put off, let go at once and withdrawn while it waits, and not after",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const service = yield* ProviderService
            const id = yield* openThread()
            const [first, second] = [
              yield* service.send(id, { input: "first", notBefore: yield* inSeconds(60) }),
              yield* service.send(id, { input: "second", notBefore: yield* inSeconds(60) })
            ]
            yield* service.interruptTurn(id, first.id)
            assert.strictEqual(yield* statusOf(first.id), "interrupted")
            yield* service.editTurn(id, second.id, { input: "changed", notBefore: yield* inSeconds(600) })
            yield* TestClock.adjust("2 minutes")
            yield* wake
            assert.strictEqual(yield* statusOf(second.id), "deferred")
            const now = yield* service.editTurn(id, second.id, { notBefore: null })
            assert.strictEqual(now.status, "accepted")
            assert.strictEqual((yield* settled(id, second.id)).output, "changed")
            const late = yield* Effect.flip(service.editTurn(id, second.id, { notBefore: null }))
            assert.strictEqual(late._tag, "TurnBegun")
            const joined = yield* Effect.flip(
              service.send(id, { input: "x", delivery: "steer", notBefore: yield* inSeconds(60) })
            )
            assert.strictEqual(joined._tag, "InvalidInput")
            const past = yield* service.send(id, { input: "past", notBefore: "1970-01-01T00:00:00+01:00" })
            assert.strictEqual((yield* settled(id, past.id)).status, "completed")
          })
        )
      })
  )
})

describe("usage limits", () => {
  it.effect("U1: without being asked for, a limit ends the turn, and nothing waits", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          world.upstream.faults.limit = yield* limit(3600)
          const turn = yield* say(id, "work")
          assert.strictEqual(turn.status, "failed")
          assert.strictEqual(turn.error?._tag, "UsageLimited")
          assert.strictEqual(turn.error?.["resetsAt"], yield* inSeconds(3600))
          const store = yield* ThreadStore
          assert.lengthOf(yield* store.deferredTurns("all"), 0)
        })
      )
    })
  )

  it.effect("U1: a new turn waits for its end, over a restart; what the agent has is not said again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onLimit: "wait" })
      const { first, id } = yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          world.upstream.faults.limit = yield* limit(3600)
          return { id, first: yield* say(id, "work") }
        })
      )
      yield* TestClock.adjust("1 hour")
      yield* world.life(
        Effect.gen(function* () {
          const next = yield* waiting(id)
          assert.deepInclude(next.continues, { turnId: first.id, because: "limit" })
          yield* wake
          const done = yield* settled(id, next.id)
          assert.match(done.output, /^work \| The usage limit .* go on\.$/)
        })
      )
      assert.lengthOf(world.upstream.asked, 2)
    })
  )

  it.effect("U1: what the agent did not keep is said again, steers and all", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onLimit: "wait" })
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          world.upstream.faults.limit = yield* limit(60, "forget")
          yield* say(id, "work")
          const next = yield* waiting(id)
          yield* TestClock.adjust("1 minute")
          yield* wake
          assert.strictEqual((yield* settled(id, next.id)).output, "work")
        })
      )
    })
  )

  it.effect("U1: a limit at the wake is waited for again, five times in a row and no more", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onLimit: "wait" })
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const store = yield* ThreadStore
          world.upstream.faults.limit = yield* limit(60)
          yield* say(id, "work")
          for (let round = 1; round <= 5; round++) {
            const next = yield* waiting(id)
            yield* TestClock.adjust("1 minute")
            world.upstream.faults.limit = yield* limit(60)
            yield* wake
            assert.strictEqual((yield* settled(id, next.id)).status, "failed")
          }
          assert.lengthOf(yield* store.deferredTurns("all"), 0)
        })
      )
    })
  )

  it.effect("U1: no limit is waited for longer than the settings say; a thread's own choice wins", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onLimit: "wait", limitWait: Duration.hours(2) })
      yield* world.life(
        Effect.gen(function* () {
          const threads = yield* Threads
          const service = yield* ProviderService
          const store = yield* ThreadStore
          const id = yield* openThread()
          world.upstream.faults.limit = yield* limit(3 * 3600)
          yield* say(id, "work")
          assert.lengthOf(yield* store.deferredTurns("all"), 0)
          world.upstream.faults.limit = yield* limit(3600)
          yield* service.update(id, { onLimit: "fail" })
          yield* say(id, "work")
          assert.lengthOf(yield* store.deferredTurns("all"), 0)
          yield* service.update(id, { onLimit: "wait" })
          yield* say(id, "work")
          assert.lengthOf(yield* store.deferredTurns("all"), 1)
          assert.strictEqual((yield* threads.get(id)).onLimit, "wait")

          yield* service.update(id, { title: "still" })
          assert.strictEqual((yield* threads.get(id)).onLimit, "wait")
          yield* service.update(id, { onLimit: null })
          assert.isUndefined((yield* threads.get(id)).onLimit)
        })
      )
    })
  )

  it.effect(
    "U1: threads of one account begin one after the other, and wait longer where it is used up again",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ onLimit: "wait" })
        yield* world.life(
          Effect.gen(function* () {
            const ids = yield* Effect.forEach([1, 2, 3], () => openThread())
            world.upstream.faults.limit = yield* limit(60)
            yield* Effect.forEach(ids, (id) => say(id, "work"))
            const turns = yield* Effect.forEach(ids, waiting)
            yield* TestClock.adjust("1 minute")
            const again = yield* wake
            const states = () => Effect.forEach(turns, ({ id }) => statusOf(id))
            assert.deepEqual((yield* states()).filter((status) => status === "deferred").length, 2)
            assert.isAtMost(again, 10_000)
            const [first, second] = [ids[0], ids[1]]
            yield* settled(first as ThreadId, (turns[0] as TurnRecord).id)
            // The first of them has used it up again.
            world.upstream.faults.limit = yield* limit(600)
            yield* say(first as ThreadId, "more")
            yield* TestClock.adjust("10 seconds")
            yield* wake
            assert.strictEqual((yield* waiting(second as ThreadId)).notBefore, yield* inSeconds(590))
            assert.lengthOf(
              world.upstream.asked.filter(({ input }) => input === "more"),
              1
            )
          })
        )
      })
  )

  it.effect("U1: a model that is put off for longer than is set is a limit, with its time", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onLimit: "wait" })
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const id = yield* openThread()
          world.upstream.faults.limit = yield* limit(86_400, "put-off")
          const turn = yield* say(id, "work")
          assert.strictEqual(turn.status, "failed")
          assert.strictEqual(turn.error?.["resetsAt"], yield* inSeconds(86_400))
          assert.strictEqual((yield* waiting(id)).notBefore, yield* inSeconds(86_400))
          // Less than that is waited for, as agents do.
          world.upstream.faults.limit = yield* limit(60, "put-off")
          const short = yield* service.send(id, { input: "short" })
          yield* event(id, "turn.started", ({ turnId }) => turnId === short.id)
          yield* TestClock.adjust("59 seconds")
          yield* event(id, "warning", ({ turnId }) => turnId === short.id)
          assert.strictEqual(yield* statusOf(short.id), "running")
        })
      )
    })
  )

  it.effect(
    "U1: one that ignores the interrupt is ended, and one that tells no time is tried in half an hour",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ onLimit: "wait" })
        yield* world.life(
          Effect.gen(function* () {
            const service = yield* ProviderService
            const id = yield* openThread()
            world.upstream.faults.ignoresInterrupt = true
            world.upstream.faults.limit = yield* limit(86_400, "silent")
            const turn = yield* service.send(id, { input: "work" })
            yield* event(id, "turn.started", ({ turnId }) => turnId === turn.id)
            yield* TestClock.adjust("1 second")
            yield* event(id, "warning", ({ turnId }) => turnId === turn.id)
            yield* TestClock.adjust("15 minutes")
            yield* TestClock.adjust("10 seconds")
            const done = yield* settled(id, turn.id)
            assert.strictEqual(done.status, "failed")
            assert.deepInclude(done.error, { _tag: "UsageLimited", resetsAt: null })
            const tried = timestampOf(Date.parse(done.settledAt ?? "") + 30 * 60_000)
            assert.strictEqual((yield* waiting(id)).notBefore, tried)
          })
        )
      })
  )

  it.effect("U1: stopping the thread withdraws what nobody sent, and leaves what its user scheduled", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onLimit: "wait" })
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const id = yield* openThread()
          world.upstream.faults.limit = yield* limit(60)
          yield* say(id, "work")
          const own = yield* service.send(id, { input: "own", notBefore: yield* inSeconds(3600) })
          yield* service.stop(id)
          const store = yield* ThreadStore
          assert.deepEqual(
            (yield* store.deferredTurns({ threadId: id })).map((turn) => turn.id),
            [own.id]
          )
        })
      )
    })
  )
})
