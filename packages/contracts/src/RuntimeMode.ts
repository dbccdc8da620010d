import { Schema } from "effect"

/** What an agent may do without being asked, from least to most. */
export const RuntimeMode = Schema.Literals([
  "read-only",
  "approval-required",
  "auto-accept-edits",
  "full-access"
])
export type RuntimeMode = typeof RuntimeMode.Type

export const defaultRuntimeMode: RuntimeMode = "approval-required"
