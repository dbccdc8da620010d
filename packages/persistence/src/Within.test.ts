import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { within } from "./Within.ts"

const late = within("35 seconds", () => "late" as const)

describe("what is waited for", () => {
  it.effect("ends in time where nothing may be interrupted, as a commit over a link that is silent", () =>
    Effect.gen(function* () {
      const write = yield* Effect.forkChild(
        Effect.uninterruptible(Effect.exit(late(Effect.uninterruptible(Effect.never))))
      )
      yield* TestClock.adjust("36 seconds")
      assert.deepEqual(yield* Fiber.join(write), Exit.fail("late"))
    })
  )

  it.effect("is what it comes to otherwise, and ends with who waits", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* late(Effect.succeed(1)), 1)
      assert.strictEqual(yield* Effect.flip(late(Effect.fail("no" as const))), "no")
      let ended = false
      const waiting = yield* Effect.forkChild(
        late(Effect.onInterrupt(Effect.never, () => Effect.sync(() => void (ended = true)))),
        { startImmediately: true }
      )
      yield* Fiber.interrupt(waiting)
      yield* Effect.yieldNow
      assert.isTrue(ended)
    })
  )
})
