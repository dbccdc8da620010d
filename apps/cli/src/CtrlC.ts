import { Deferred, Effect } from "effect"

/**
 * While this runs, Ctrl-C interrupts it and not the command: `"stopped"` then. A second one ends the command, as ever.
 */
export const untilCtrlC = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A | "stopped", E, R> =>
  Effect.gen(function* () {
    const struck = yield* Deferred.make<void>()
    const before = process.listeners("SIGINT")
    const restore = () => {
      process.removeListener("SIGINT", strike)
      for (const listener of before)
        if (!process.listeners("SIGINT").includes(listener)) process.on("SIGINT", listener)
    }
    const strike = () => {
      Deferred.doneUnsafe(struck, Effect.void)
      restore()
    }
    return yield* Effect.acquireUseRelease(
      Effect.sync(() => {
        for (const listener of before) process.removeListener("SIGINT", listener)
        process.on("SIGINT", strike)
      }),
      () => Effect.raceFirst(effect, Effect.as(Deferred.await(struck), "stopped" as const)),
      () => Effect.sync(restore)
    )
  })
