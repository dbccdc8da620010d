import { StoreFailed } from "@rejoin/contracts/Errors"
import { Effect, Schedule } from "effect"

const isAway = (error: unknown): boolean => error instanceof StoreFailed && error.away === true

const pauses = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("2 seconds")]).pipe(
  Schedule.upTo({ duration: "10 minutes" })
)

/**
 * Again and again while the database is away, for ten minutes at most: for what goes on whether it is written or not. What
 * a user asks for is refused instead.
 */
export const whileAway = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.retry(effect, { while: isAway, schedule: pauses })
