import { Schema } from "effect"
import { RuleId, ThreadId } from "./Ids.ts"
import { plain } from "./Text.ts"
import { Timestamp } from "./Time.ts"

/** Where a rule holds: in one thread, or in all threads of a project. */
export const RuleScope = Schema.Union([
  Schema.Struct({
    thread: ThreadId.check(Schema.isPattern(/^[^\0]*$/, { message: "There is a NUL in it." }))
  }),
  Schema.Struct({ project: plain(500).check(Schema.isNonEmpty()) })
])
export type RuleScope = typeof RuleScope.Type

/** In letters. */
export const longestPattern = 10_000

const said = {
  scope: RuleScope,
  /** What kind of work, in the agent's word: an approval's `permission`. */
  tool: plain(200).check(Schema.isNonEmpty()),
  /**
   * What an approval `covers`: the whole command, a path, the input of a tool. With `*` at its end it is a beginning: what follows
   * may chain, redirect or substitute nothing. A star that is meant as one is written `\*`.
   */
  pattern: Schema.String.check(Schema.isNonEmpty(), Schema.isMaxLength(longestPattern)),
  decision: Schema.Literals(["accept", "decline"])
}

export const CreateRule = Schema.Struct(said)
export type CreateRule = typeof CreateRule.Type

/** A standing answer to approvals: ours, and in no file of an agent's. */
export const Rule = Schema.Struct({ id: RuleId, ...said, createdAt: Timestamp }).annotate({
  identifier: "Rule"
})
export type Rule = typeof Rule.Type
