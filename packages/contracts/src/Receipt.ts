import { Schema } from "effect"
import { fact } from "./Fact.ts"
import { Failure } from "./Failure.ts"
import { ProviderSessionId, ReceiptId, ThreadId, TurnId } from "./Ids.ts"
import { RuntimeMode } from "./RuntimeMode.ts"
import { Timestamp } from "./Time.ts"

/** What a start did with the conversation. */
export const ResumeOutcome = Schema.Literals([
  "created",
  "adopted",
  "forked",
  "moved",
  "rehydrated",
  "replaced",
  "handed-over",
  "refused"
])
export type ResumeOutcome = typeof ResumeOutcome.Type

/** One thing that was asked for and what was found, and when in the session's life it was found. */
export const Check = Schema.Struct({
  what: Schema.Literals(["cwd", "mode", "model", "history"]),
  asked: Schema.NullOr(Schema.String),
  found: fact(Schema.String),
  stage: Schema.Literals(["start", "submit", "tool"]),
  at: Timestamp
})
export type Check = typeof Check.Type

/** `pending` while a check can still come, `failed` when one contradicts what was asked. */
export const Verification = Schema.Literals(["complete", "pending", "failed"])
export type Verification = typeof Verification.Type

/**
 * What a start did and what was verified. `*Verified` is what was read back, null where it is not known: never a
 * copy of the request.
 */
export const Receipt = Schema.Struct({
  id: ReceiptId,
  threadId: ThreadId,
  turnId: Schema.optionalKey(TurnId),
  generation: Schema.Int,
  outcome: ResumeOutcome,
  reason: Schema.optionalKey(Schema.String),
  error: Schema.optionalKey(Failure),
  providerSessionIdBefore: Schema.NullOr(ProviderSessionId),
  providerSessionIdAfter: Schema.NullOr(ProviderSessionId),
  cwdRequested: Schema.String,
  cwdVerified: Schema.NullOr(Schema.String),
  runtimeModeRequested: RuntimeMode,
  runtimeModeVerified: Schema.NullOr(RuntimeMode),
  checks: Schema.Array(Check),
  /** How many messages were said in the agent's own interface since the last one of ours. */
  ahead: Schema.optionalKey(Schema.Int),
  /** So many of them have become turns of the thread, marked as said there; the others are not in our items. */
  imported: Schema.optionalKey(Schema.Int),
  /**
   * How far a conversation that was restored from our copy goes: up to which turn, and whether that is the last one that
   * the agent had. What came after it is not in the agent's memory any more.
   */
  restored: Schema.optionalKey(Schema.Struct({ upToTurnId: Schema.NullOr(TurnId), whole: Schema.Boolean })),
  /**
   * What another agent was given of the conversation: how many messages of its user's, what could not be carried and how
   * often, and about how many tokens a model reads of it, which may be more than that agent's takes.
   */
  carried: Schema.optionalKey(
    Schema.Struct({
      messages: Schema.Int,
      leftOut: Schema.Record(Schema.String, Schema.Int),
      approximateTokens: Schema.Int
    })
  ),
  /** How many turns were undone in the agent's own interface, and have been accepted as such by this start. */
  undone: Schema.optionalKey(Schema.Int),
  verification: Verification,
  agentVersion: Schema.NullOr(Schema.String),
  /** What the probe saw, as the adapter tells it. */
  evidence: Schema.Unknown,
  at: Timestamp
}).annotate({ identifier: "Receipt" })
export type Receipt = typeof Receipt.Type
