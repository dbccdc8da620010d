import { Clock, Effect } from "effect"

const failuresAMinute = 30

/** Counts what failed within the present minute. `exceeded` counts one more, and tells whether those are too many. */
export const makeAttemptLimit = () => {
  let minute = 0
  let failures = 0
  return {
    exceeded: Effect.map(Clock.currentTimeMillis, (millis) => {
      const now = Math.floor(millis / 60_000)
      if (now !== minute) {
        minute = now
        failures = 0
      }
      return ++failures > failuresAMinute
    })
  }
}
