import { Effect, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"

/** Lets what is worked out off this thread, a hash for example, come when the machine has come to it. */
export const breathe = Effect.promise(() => new Promise<void>((resume) => setTimeout(resume, 2)))

/**
 * Runs something on a clock that stands still: everything that can go on does, and time passes only where that is not
 * enough. None where we die meanwhile; what never ends is a defect.
 */
export const patiently = Effect.fnUntraced(function* <A, E, R>(
  what: Effect.Effect<A, E, R>,
  isDead: () => boolean
) {
  const fiber = yield* Effect.forkChild(what)
  for (let round = 0; round < 400; round++) {
    for (let i = 0; i < 40; i++) {
      yield* Effect.yieldNow
      if (fiber.pollUnsafe() !== undefined || isDead()) break
    }
    if (fiber.pollUnsafe() !== undefined || isDead()) break
    if (round > 10) yield* breathe
    yield* TestClock.adjust("500 millis")
  }
  if (isDead() && fiber.pollUnsafe() === undefined) {
    yield* Fiber.interrupt(fiber).pipe(Effect.forkChild)
    return Option.none()
  }
  if (fiber.pollUnsafe() === undefined) return yield* Effect.die("it never ends")
  return Option.some(yield* Fiber.await(fiber))
})
