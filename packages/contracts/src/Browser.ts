import { Schema } from "effect"
import { Timestamp } from "./Time.ts"

/** A browser that was let in by a link, and lets itself in again: it holds a key that cannot be read out of it. */
export const Browser = Schema.Struct({
  id: Schema.String,
  /** Where its page is; it is let in there and nowhere else. */
  origin: Schema.String,
  /** What it calls itself. */
  agent: Schema.String,
  since: Timestamp,
  lastSeenAt: Timestamp
}).annotate({ identifier: "Browser" })
export type Browser = typeof Browser.Type

/** An ECDSA key on P-256, in base64: SubjectPublicKeyInfo. */
export const BrowserKey = Schema.String.check(Schema.isBase64(), Schema.isMaxLength(500))
