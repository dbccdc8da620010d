import type { PgClient } from "@effect/sql-pg"
import { Context, Effect, Schedule, type Scope } from "effect"
import type { SqlError } from "effect/sql"
import { within } from "./Within.ts"

/**
 * Runs what must run once among all servers on one database (M8), for as long as this server is the one; elsewhere when it is
 * gone. Whoever was frozen may be at it for a moment beside the next one: so what is run may be begun again at any time.
 * Absent where one server is alone.
 */
export const Singleton = Context.Reference<
  (<A, E, R>(name: string, run: Effect.Effect<A, E, R>) => Effect.Effect<void, E, R>) | undefined
>("@rejoin/persistence/Singleton", { defaultValue: () => undefined })

const lost = { _tag: "Lost" } as const

/**
 * By a lock of the database's own, one for each name in each schema, which goes with its connection. `connect` makes a
 * connection that the database ends when it is silent for too long.
 */
export const makeSingleton =
  (connect: Effect.Effect<PgClient.PgClient, SqlError.SqlError, Scope.Scope>) =>
  <A, E, R>(name: string, run: Effect.Effect<A, E, R>): Effect.Effect<void, E, R> => {
    const term = Effect.scoped(
      Effect.gen(function* () {
        const sql = yield* Effect.mapError(connect, () => lost)
        const told = within("10 seconds", () => lost)
        const isOurs = sql<{ held: boolean }>`
          SELECT pg_try_advisory_lock(hashtext(current_schema()), hashtext(${name})) AS held`.pipe(
          Effect.mapError(() => lost),
          told,
          Effect.map(([row]) => row?.held === true)
        )
        yield* Effect.repeat(isOurs, { until: (held) => held, schedule: Schedule.spaced("2 seconds") })
        yield* Effect.logInfo(`This server does for all: ${name}.`)
        const beat = sql`SELECT 1`.pipe(
          Effect.mapError(() => lost),
          told,
          Effect.repeat(Schedule.spaced("2 seconds"))
        )
        yield* Effect.raceFirst(run, beat)
      })
    )
    return Effect.retry(term, {
      while: (error) => error === lost,
      schedule: Schedule.spaced("2 seconds")
    }).pipe(
      Effect.catchIf(
        (error): error is typeof lost => error === lost,
        () => Effect.void
      )
    ) as Effect.Effect<void, E, R>
  }
