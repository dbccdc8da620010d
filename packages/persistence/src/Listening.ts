import type { PgClient } from "@effect/sql-pg"
import { Effect, Schedule, Stream } from "effect"

/** What `Dialect.takePositions` notifies of: the schema, and how far its events have come. */
export const eventsChannel = "rejoin_events"

/**
 * Positions that were committed by whichever server, as they are told. A connection may be gone without a word, so every two
 * seconds it is as if one had been told of anything; the same where it has to be made anew.
 */
export const listening = (sql: PgClient.PgClient): Stream.Stream<number> => {
  const anything = Number.MAX_SAFE_INTEGER
  const told = Stream.unwrap(
    Effect.gen(function* () {
      const [own] = yield* sql<{ schema: string }>`SELECT current_schema() AS schema`
      const notifications = yield* sql.listen(eventsChannel)
      return Stream.concat(
        Stream.make(anything),
        Stream.fromQueue(notifications).pipe(
          Stream.filter(({ payload }) => payload.slice(0, payload.lastIndexOf(" ")) === own?.schema),
          Stream.map(({ payload }) => Number(payload.slice(payload.lastIndexOf(" "))))
        )
      )
    })
  ).pipe(
    Stream.tapError((error) =>
      Effect.logWarning("Other servers are not heard, and are listened to again.", error)
    ),
    Stream.retry(Schedule.spaced("500 millis")),
    Stream.orDie
  )
  return Stream.merge(
    told,
    Stream.map(Stream.fromSchedule(Schedule.spaced("2 seconds")), () => anything)
  )
}
