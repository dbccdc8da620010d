import { Schema } from "effect"
import { plain } from "./Text.ts"
import { Timestamp } from "./Time.ts"

/** So many bytes in base64url, with or without its padding. */
const bytes = (letters: number) =>
  plain(200).check(
    Schema.isPattern(new RegExp(`^[\\w-]{${letters}}={0,2}$`), { message: "No key of a push subscription" })
  )
const Hour = Schema.String.check(
  Schema.isPattern(/^([01]\d|2[0-3]):[0-5]\d$/, { message: "An hour, as 22:00" })
)

/** From one hour to another, of a place; from the evening to the morning where the second one is earlier. */
export const QuietHours = Schema.Struct({
  from: Hour,
  to: Hour,
  /** As the IANA calls it: `Europe/Berlin`. */
  zone: plain(100).check(
    Schema.makeFilter((zone) => {
      try {
        return Boolean(new Intl.DateTimeFormat("en", { timeZone: zone }))
      } catch {
        return "There is no such time zone"
      }
    })
  )
})
export type QuietHours = typeof QuietHours.Type

/** As a browser's `PushSubscription` has it. */
export const PushTarget = Schema.Struct({
  endpoint: plain(2000).check(
    Schema.isPattern(/^https?:\/\/[^\s@]+$/),
    Schema.makeFilter((text) => URL.canParse(text) || "That is no address")
  ),
  /** A point on P-256, and 16 bytes. */
  keys: Schema.Struct({ p256dh: bytes(87), auth: bytes(22) })
})
export type PushTarget = typeof PushTarget.Type

/** A browser that is told, wherever it is, what waits for its user and what has ended. */
export const PushSubscription = Schema.Struct({
  /** The first half of the SHA-256 of its endpoint, in hex: by it a browser knows its own. */
  id: Schema.String,
  /** Whose push service it is. */
  service: Schema.String,
  quiet: Schema.optionalKey(QuietHours),
  since: Timestamp
}).annotate({ identifier: "PushSubscription" })
export type PushSubscription = typeof PushSubscription.Type
