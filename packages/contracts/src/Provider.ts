import { Schema } from "effect"
import { ProviderInstanceId } from "./Ids.ts"
import { RuntimeMode } from "./RuntimeMode.ts"
import { Timestamp } from "./Time.ts"

/** How a conversation is carried into another directory. */
export const RelocateWay = Schema.Literals(["fork", "move", "copy", "adopt"])
export type RelocateWay = typeof RelocateWay.Type

/** What an instance can do in the version that was found. What is not listed is refused with CapabilityMissing. */
export const Capabilities = Schema.Struct({
  runtimeModes: Schema.Array(RuntimeMode),
  /** In the order in which they are tried. */
  relocate: Schema.Array(RelocateWay),
  /** A live session takes another mode or model between turns. */
  reconfigure: Schema.Boolean,
  steer: Schema.Boolean,
  interrupt: Schema.Boolean,
  /** A thread can be forked: as it is now, or as it was after one of its turns. */
  fork: Schema.Array(Schema.Literals(["whole", "turn"])),
  /** A lost session can be written back from our transcript. */
  restore: Schema.Boolean,
  /** A conversation that was held with another agent can be written as one of its own. */
  compose: Schema.Boolean,
  /** A thread can be given directories beside its own. */
  additionalDirectories: Schema.Boolean,
  /** A thread can have instructions of its own beside the agent's. */
  systemPrompt: Schema.Boolean,
  /** A session can be handed to the agent's own interface in the user's terminal, and taken back. */
  terminal: Schema.Boolean
})
export type Capabilities = typeof Capabilities.Type

/** A model as its agent calls it. */
export const ProviderModel = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  /** How many tokens it takes, where the agent tells. */
  context: Schema.optionalKey(Schema.Finite),
  /** The one of threads that name none. */
  default: Schema.optionalKey(Schema.Boolean)
}).annotate({ identifier: "ProviderModel" })
export type ProviderModel = typeof ProviderModel.Type

/** Of an agent that cannot be used. */
export const noCapabilities: Capabilities = {
  runtimeModes: [],
  relocate: [],
  reconfigure: false,
  steer: false,
  interrupt: false,
  fork: [],
  restore: false,
  compose: false,
  additionalDirectories: false,
  systemPrompt: false,
  terminal: false
}

/** How much an account may use within a time, and how much of that it has used, as its agent told last. */
export const UsageWindow = Schema.Struct({
  /** The agent's own name: `five_hour`, `primary`. */
  scope: Schema.String,
  /** From 0 to 1; null where the agent tells no figure. */
  used: Schema.NullOr(Schema.Finite),
  resetsAt: Schema.NullOr(Timestamp),
  minutes: Schema.optionalKey(Schema.Finite),
  /** Where it holds for one model alone. */
  model: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "UsageWindow" })
export type UsageWindow = typeof UsageWindow.Type

/** What is known of an account's limits since the server began. */
export const UsageLimits = Schema.Struct({ at: Timestamp, windows: Schema.Array(UsageWindow) })
export type UsageLimits = typeof UsageLimits.Type

export const ProviderInfo = Schema.Struct({
  id: ProviderInstanceId,
  driver: Schema.String,
  status: Schema.Literals(["ready", "unusable"]),
  reason: Schema.optionalKey(Schema.String),
  /** The agent's program, or the address of its server. */
  program: Schema.NullOr(Schema.String),
  version: Schema.NullOr(Schema.String),
  supported: Schema.Boolean,
  /** Null where the agent does not tell without being asked to work. */
  authenticated: Schema.NullOr(Schema.Boolean),
  /** The model of threads that name none, where it is configured here. */
  model: Schema.NullOr(Schema.String),
  /** Where the agent keeps its conversations, where that is known. */
  dataDirectory: Schema.NullOr(Schema.String),
  /** Absent until the agent has told of any. */
  limits: Schema.optionalKey(UsageLimits),
  capabilities: Capabilities
}).annotate({ identifier: "ProviderInfo" })
export type ProviderInfo = typeof ProviderInfo.Type
