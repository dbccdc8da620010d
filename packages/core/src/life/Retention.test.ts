import { assert, describe, it } from "@effect/vitest"
import { ThreadId } from "@rejoin/contracts/Ids"
import { Timestamp } from "@rejoin/contracts/Time"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { clampRetention, outdated, Retention } from "./Retention.ts"
import { makeWorld, openThread, say, sendHeld } from "../testing/World.ts"
import { ProviderService } from "../ProviderService.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"

const now = Date.UTC(2026, 0, 31)
const used = (id: string, daysAgo: number, project: string | null = null, busy = false) => ({
  id: ThreadId.make(id),
  project,
  busy,
  lastActivityAt: Timestamp.make(new Date(now - daysAgo * 86_400_000).toISOString())
})

describe("S17: what is kept", () => {
  it("is clamped, whoever wrote it", () => {
    assert.deepEqual(clampRetention({ sessions: 0, days: 0 }), { sessions: 1, days: 1 })
    assert.deepEqual(clampRetention({ sessions: 99, days: 9999 }), { sessions: 50, days: 365 })
    assert.deepEqual(clampRetention({ sessions: 5.9, days: 30 }), { sessions: 5, days: 30 })
  })

  it("goes by count within a project, then by age, and never takes one that works", () => {
    const limits = { sessions: 2, days: 30 }
    assert.deepEqual(outdated([used("a", 1), used("b", 2), used("c", 3)], limits, now), [ThreadId.make("c")])
    assert.deepEqual(outdated([used("c", 3), used("a", 1), used("b", 2)], limits, now), [ThreadId.make("c")])
    assert.deepEqual(outdated([used("a", 1), used("b", 40)], limits, now), [ThreadId.make("b")])
    assert.deepEqual(outdated([used("a", 1, "x"), used("b", 2, "y"), used("c", 3, "y")], limits, now), [])
    assert.deepEqual(outdated([used("a", 1), used("b", 2), used("c", 3, null, true)], limits, now), [])
  })

  const spent = Effect.gen(function* () {
    const service = yield* ProviderService
    const old = yield* openThread()
    yield* say(old, "one")
    yield* service.stop(old)
    yield* TestClock.adjust("2 days")
    const running = yield* openThread()
    yield* sendHeld(running)
    return { old, running }
  })

  it.effect("off by default: nothing goes", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const { old } = yield* spent
          const retention = yield* Retention
          assert.deepEqual(yield* retention.sweep, [])
          assert.isAbove((yield* world.store.readEvents({ threadId: old, afterSeq: 0 }, 99)).length, 5)
        })
      )
    })
  )

  it.effect(
    "the conversation, its turns and receipts stay; a reader is told of the gap; the thread goes on",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ retention: { sessions: 5, days: 1 } })
        yield* world.life(
          Effect.gen(function* () {
            const { old, running } = yield* spent
            const retention = yield* Retention
            assert.deepEqual(yield* retention.sweep, [old])
            assert.lengthOf(yield* world.store.readEvents({ threadId: old, afterSeq: 0 }, 99), 0)
            assert.isAbove((yield* world.store.readEvents({ threadId: running, afterSeq: 0 }, 99)).length, 2)
            assert.lengthOf(yield* world.store.listItems(old, { limit: 9 }), 2)
            assert.lengthOf(yield* world.store.listTurns(old, { limit: 9 }), 1)
            assert.lengthOf(yield* world.store.listReceipts(old, { limit: 9 }), 1)
            assert.strictEqual((yield* say(old, "two")).output, "one | two")
            const events = yield* ThreadEvents
            const [first] = yield* events.follow(old, 0).pipe(Stream.take(1), Stream.runCollect)
            assert.strictEqual(first?.type, "events.gap")
          })
        )
      })
  )
})
