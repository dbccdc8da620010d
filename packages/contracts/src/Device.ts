import { Schema } from "effect"
import { RuntimeMode } from "./RuntimeMode.ts"
import { plain } from "./Text.ts"
import { Timestamp } from "./Time.ts"

export const DeviceName = plain(100).check(Schema.isNonEmpty())

/** A phone, or another machine, that was let in by a code of the owner's, with a token of its own. */
export const Device = Schema.Struct({
  id: Schema.String,
  name: DeviceName,
  /** The highest mode that it may use: in a thread with a higher one it reads, and can stop what runs. */
  mode: RuntimeMode,
  /** What it calls itself. */
  agent: Schema.String,
  since: Timestamp,
  lastSeenAt: Timestamp
}).annotate({ identifier: "Device" })
export type Device = typeof Device.Type
