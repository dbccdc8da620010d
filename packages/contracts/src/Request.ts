import { Schema } from "effect"
import { RequestId, ThreadId, TurnId } from "./Ids.ts"
import { WellFormed } from "./Text.ts"
import { Timestamp } from "./Time.ts"

export const Question = Schema.Struct({
  header: Schema.optionalKey(Schema.String),
  question: Schema.String,
  options: Schema.Array(
    Schema.Struct({ label: Schema.String, description: Schema.optionalKey(Schema.String) })
  ),
  multiple: Schema.optionalKey(Schema.Boolean)
})
export type Question = typeof Question.Type

export const Approval = Schema.Struct({
  kind: Schema.Literal("approval"),
  /** What kind of work wants the approval, in the provider's word: `bash`, `edit`, … */
  permission: Schema.String,
  title: Schema.String,
  command: Schema.optionalKey(Schema.String),
  paths: Schema.optionalKey(Schema.Array(Schema.String)),
  diff: Schema.optionalKey(Schema.String),
  /**
   * All that a standing rule has to cover, each in full: the command, each path, the whole input of a tool. Left out
   * where that cannot be told in full: then it is asked every time.
   */
  covers: Schema.optionalKey(Schema.Array(Schema.String))
})
export type Approval = typeof Approval.Type

export const UserInput = Schema.Struct({
  kind: Schema.Literal("user-input"),
  questions: Schema.Array(Question)
})
export type UserInput = typeof UserInput.Type

/** Something that the agent waits for: an approval, or answers to questions. */
export const PendingRequest = Schema.Struct({
  id: RequestId,
  threadId: ThreadId,
  turnId: TurnId,
  openedAt: Timestamp,
  ask: Schema.Union([Approval, UserInput])
}).annotate({ identifier: "PendingRequest" })
export type PendingRequest = typeof PendingRequest.Type

/** `cancel` declines and interrupts the turn. */
export const Decision = Schema.Struct({
  decision: Schema.Literals(["accept", "decline", "cancel"]),
  message: Schema.optionalKey(WellFormed),
  /** The same is answered by a rule from now on, in this thread or in its project. Not with `cancel`. */
  remember: Schema.optionalKey(Schema.Literals(["thread", "project"]))
})
export type Decision = typeof Decision.Type

/** One list of chosen labels (or free text) a question, in their order. */
export const Answers = Schema.Struct({ answers: Schema.Array(Schema.Array(WellFormed)) })
export type Answers = typeof Answers.Type

export const Answer = Schema.Union([Decision, Answers])
export type Answer = typeof Answer.Type
