import { Deferred, type Duration, Effect } from "effect"

/**
 * Ends waiting after a while, whatever is waited for, and also where nothing may be interrupted: a COMMIT over a link that is
 * silent cannot be, and `Effect.timeout` waits for what it interrupts. What was begun is left to end by itself: whether it
 * came through is not known.
 */
export const within =
  <E2>(duration: Duration.Input, late: () => E2) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | E2, R> =>
    Effect.gen(function* () {
      const ended = yield* Deferred.make<A, E | E2>()
      const work = yield* Effect.forkDetach(
        Effect.onExit(effect, (exit) => Deferred.done(ended, exit)),
        { startImmediately: true }
      )
      const alarm = yield* Effect.forkDetach(
        Effect.andThen(
          Effect.sleep(duration),
          Effect.suspend(() => Deferred.fail(ended, late()))
        )
      )
      return yield* Effect.onExit(Deferred.await(ended), () =>
        Effect.sync(() => {
          alarm.interruptUnsafe()
          if (work.pollUnsafe() === undefined) work.interruptUnsafe()
        })
      )
    })
