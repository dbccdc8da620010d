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

/** Later than that there is no `Timestamp`, in ms since the epoch. */
const end = Date.UTC(10_000, 0)

/** A day that its month has: JavaScript takes the 30th of February for the 2nd of March. */
const isDay = (text: string): boolean => {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split("-").map(Number)
  return new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
}

/** What somebody else calls a time, in ms since the epoch; undefined where it can be none. */
export const timeTold = (millis: number): Timestamp | undefined =>
  millis >= 0 && millis < end ? timestampOf(millis) : undefined

/** An instant as others write it, RFC 3339 with any offset. */
export const Instant = Schema.String.check(
  Schema.isPattern(/^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/, {
    message: "A time with its offset, as 2026-01-31T09:00:00Z or 2026-01-31T09:00+01:00"
  }),
  Schema.makeFilter((text) => (isDay(text) && Date.parse(text) < end) || "There is no such time")
)

/** The same instant as we write it. */
export const timestampOf = (instant: string | number): Timestamp =>
  DateTime.formatIso(DateTime.makeUnsafe(instant)) as Timestamp
