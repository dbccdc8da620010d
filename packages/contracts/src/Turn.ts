import { Schema } from "effect"
import { Failure } from "./Failure.ts"
import { ThreadId, TurnId } from "./Ids.ts"
import { plain } from "./Text.ts"
import { Timestamp } from "./Time.ts"

export const TurnStatus = Schema.Literals([
  "deferred",
  "accepted",
  "dispatching",
  "running",
  "completed",
  "failed",
  "interrupted"
])
export type TurnStatus = typeof TurnStatus.Type

/** `data` is base64. */
export const Attachment = Schema.Struct({
  name: plain(255).check(Schema.isNonEmpty()),
  mediaType: plain(255).check(Schema.isNonEmpty()),
  data: Schema.String.check(Schema.isBase64())
})
export type Attachment = typeof Attachment.Type

/** What the store keeps of an attachment in its turn: what it holds lies beside it, by its hash. */
export const AttachmentRef = Schema.Struct({
  name: Schema.String,
  mediaType: Schema.String,
  /** SHA-256 of its base64, in hex. */
  hash: Schema.String,
  /** Of the file itself. */
  bytes: Schema.Int
})
export type AttachmentRef = typeof AttachmentRef.Type

/** `queue` waits for the running turn to settle; `steer` joins it. Without a running turn both start one. */
export const Delivery = Schema.Literals(["queue", "steer"])
export type Delivery = typeof Delivery.Type

export const Steer = Schema.Struct({
  input: Schema.String,
  attachments: Schema.optionalKey(Schema.Array(AttachmentRef)),
  at: Timestamp
})
export type Steer = typeof Steer.Type

/** Why a turn goes on with what another one could not end: its agent's usage limit, or an end that nobody wanted. */
export const Continues = Schema.Struct({
  turnId: TurnId,
  because: Schema.Literals(["limit", "interrupted"])
})
export type Continues = typeof Continues.Type

/** One input until it settles. `deferred` waits for its time, all others that wait for their turn are `accepted`. */
export const Turn = Schema.Struct({
  id: TurnId,
  threadId: ThreadId,
  status: TurnStatus,
  /** It was undone in the agent's own interface, and accepted as such: the agent knows nothing of it any more. */
  undone: Schema.optionalKey(Schema.Boolean),
  /** It was said in the agent's own interface, before the thread or beside it. */
  elsewhere: Schema.optionalKey(Schema.Boolean),
  input: Schema.String,
  attachments: Schema.optionalKey(Schema.Array(AttachmentRef)),
  /** The final text of the assistant; empty until there is one. */
  output: Schema.String,
  steers: Schema.optionalKey(Schema.Array(Steer)),
  delivery: Schema.optionalKey(Delivery),
  /** It does not begin before. */
  notBefore: Schema.optionalKey(Timestamp),
  /** Nobody sent it: it goes on with what this one could not end. */
  continues: Schema.optionalKey(Continues),
  /** This one goes on with it. */
  continuedBy: Schema.optionalKey(TurnId),
  error: Schema.optionalKey(Failure),
  acceptedAt: Timestamp,
  startedAt: Schema.optionalKey(Timestamp),
  settledAt: Schema.optionalKey(Timestamp)
}).annotate({ identifier: "Turn" })
export type Turn = typeof Turn.Type

/** It has not begun: it waits for its turn, or for its time. */
export const waits = ({ status }: { readonly status: TurnStatus }): boolean =>
  status === "accepted" || status === "deferred"

/** It is under way, or begins as soon as it can. */
export const isOpen = (status: TurnStatus): boolean => !isSettled(status) && status !== "deferred"

export const isSettled = (status: TurnStatus): boolean =>
  status === "completed" || status === "failed" || status === "interrupted"
