import { Schema } from "effect"

/** What an agent may do without being asked, from least to most. */
export const RuntimeMode = Schema.Literals([
  "read-only",
  "approval-required",
  "auto-accept-edits",
  "full-access"
])
export type RuntimeMode = typeof RuntimeMode.Type

/** Whether a mode lets an agent do more than another one. */
export const isAbove = (mode: RuntimeMode, other: RuntimeMode): boolean =>
  RuntimeMode.literals.indexOf(mode) > RuntimeMode.literals.indexOf(other)

export const defaultRuntimeMode: RuntimeMode = "approval-required"
