import { Deferred, Effect } from "effect"

/**
 * The named points of the way of a follow-up, in its order. Each is reached before and after what it names. `lease`
 * is the first that a start asks of its provider under the thread's lease, `commit` the end of any transaction.
 */
export const points = [
  "open",
  "accept",
  "lease",
  "probe",
  "intent",
  "start",
  "move",
  "created",
  "persist",
  "dispatch",
  "send",
  "run",
  "stream",
  "ask",
  "steer",
  "mode",
  "interrupt",
  "answer",
  "settle",
  "reap",
  "end",
  "commit",
  "recover"
] as const
export type CrashPoint = (typeof points)[number]

/** Told at every point that is reached. A harness ends us at one of them. */
export type Reach = (point: CrashPoint, when: "before" | "after") => Effect.Effect<void>

export const around =
  (reach: Reach) =>
  <A, E, R>(point: CrashPoint, what: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.andThen(
      reach(point, "before"),
      Effect.tap(what, () => reach(point, "after"))
    )

/** A kill -9 within one process: at the given arrival, and from then on, nothing that reaches a point goes on. */
export interface Death {
  readonly reach: Reach
  /** Done with the point at which we died. */
  readonly dead: Deferred.Deferred<string>
  readonly isDead: () => boolean
  readonly reached: () => number
}

/** How often others are let on before the fiber that arrives goes on: nothing in memory waits by itself. */
const yieldsAt = (schedule: number, arrival: number): number =>
  schedule === 0 ? 0 : (Math.imul(schedule ^ Math.imul(arrival, 0x9e3779b1), 0x85ebca6b) >>> 16) % 4

/**
 * `at` counts arrivals from 1; undefined for a life that is not cut off. `schedule` chooses how fibers interleave,
 * where 0 leaves them alone.
 */
export const makeDeath = (at: number | undefined, schedule: number): Death => {
  const dead = Deferred.makeUnsafe<string>()
  let arrivals = 0
  const isDead = () => Deferred.isDoneUnsafe(dead)
  return {
    dead,
    isDead,
    reached: () => arrivals,
    reach: (point, when) =>
      Effect.suspend(() => {
        if (!isDead() && ++arrivals === at) Deferred.doneUnsafe(dead, Effect.succeed(`${when} ${point}`))
        const yields = yieldsAt(schedule, arrivals)
        const resumed = yields === 0 ? Effect.void : Effect.repeat(Effect.yieldNow, { times: yields - 1 })
        return isDead()
          ? Effect.die("killed")
          : Effect.flatMap(resumed, () => (isDead() ? Effect.die("killed") : Effect.void))
      })
  }
}
