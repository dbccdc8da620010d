import { Schema } from "effect"
import { ProviderSessionId, ThreadId } from "./Ids.ts"
import { Timestamp } from "./Time.ts"

/** A session in an agent's own store, whoever began it. */
export const OwnSession = Schema.Struct({
  providerSessionId: ProviderSessionId,
  title: Schema.String,
  /** Where it works now; null where the agent does not tell. */
  cwd: Schema.NullOr(Schema.String),
  /** Its user put it away. */
  archived: Schema.optionalKey(Schema.Boolean),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  /** The thread that has it. */
  threadId: Schema.optionalKey(ThreadId),
  /** Who works on it now: a process of ours, another one, or nobody; left out where its agent leaves no trace of that. */
  holder: Schema.optionalKey(Schema.Literals(["none", "ours", "other"]))
}).annotate({ identifier: "OwnSession" })
export type OwnSession = typeof OwnSession.Type
