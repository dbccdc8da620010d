import { Schema } from "effect"
import { ItemId, TurnId } from "./Ids.ts"

export const ItemKind = Schema.Literals([
  "user-message",
  "assistant-message",
  "reasoning",
  "command",
  "file-change",
  "tool-call",
  "plan",
  "error"
])
export type ItemKind = typeof ItemKind.Type

export const FileChange = Schema.Struct({ path: Schema.String, diff: Schema.String })
export type FileChange = typeof FileChange.Type

/** A unit within a turn. Which fields are there follows from its kind. */
export const Item = Schema.Struct({
  id: ItemId,
  turnId: TurnId,
  kind: ItemKind,
  status: Schema.Literals(["started", "completed", "failed"]),
  /** It was undone in the agent's own interface: the agent knows nothing of it any more. */
  undone: Schema.optionalKey(Schema.Boolean),
  /** It was said or done in the agent's own interface, before the thread or beside it. */
  elsewhere: Schema.optionalKey(Schema.Boolean),
  title: Schema.optionalKey(Schema.String),
  text: Schema.optionalKey(Schema.String),
  command: Schema.optionalKey(Schema.String),
  cwd: Schema.optionalKey(Schema.String),
  exitCode: Schema.optionalKey(Schema.Int),
  output: Schema.optionalKey(Schema.String),
  changes: Schema.optionalKey(Schema.Array(FileChange)),
  toolName: Schema.optionalKey(Schema.String),
  toolInput: Schema.optionalKey(Schema.Unknown)
}).annotate({ identifier: "Item" })
export type Item = typeof Item.Type
