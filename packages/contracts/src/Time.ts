import { DateTime, Effect, Schema } from "effect"

/** An instant as ISO 8601 in UTC with milliseconds, so that text order is time order. */
export const Timestamp = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
).pipe(Schema.brand("Timestamp"))
export type Timestamp = typeof Timestamp.Type

/** Now, by Effect's Clock. */
export const now: Effect.Effect<Timestamp> = Effect.map(
  DateTime.now,
  (at) => DateTime.formatIso(at) as Timestamp
)
