import type { Answer, Approval, UserInput } from "@rejoin/contracts/Request"
import { Option, Predicate, Schema } from "effect"
import type { CanUseTool } from "./ClaudeSchema.ts"

const Questions = Schema.Struct({
  questions: Schema.Array(
    Schema.Struct({
      question: Schema.String,
      header: Schema.optional(Schema.String),
      multiSelect: Schema.optional(Schema.Boolean),
      options: Schema.Array(
        Schema.Struct({ label: Schema.String, description: Schema.optional(Schema.String) })
      )
    })
  )
})
const decodeQuestions = Schema.decodeUnknownOption(Questions)

const text = (value: unknown): string | undefined => (Predicate.isString(value) ? value : undefined)

/** What Claude wants to be allowed, or to know. */
export const askOf = ({ input, tool_name: tool }: CanUseTool): Approval | UserInput => {
  const questions = tool === "AskUserQuestion" ? decodeQuestions(input) : Option.none()
  if (Option.isSome(questions)) {
    return {
      kind: "user-input",
      questions: questions.value.questions.map(({ header, multiSelect, options, question }) => ({
        question,
        options: options.map(({ description, label }) => ({ label, ...(description && { description }) })),
        ...(header && { header }),
        ...(multiSelect !== undefined && { multiple: multiSelect })
      }))
    }
  }
  const command = text(input["command"])
  const path = text(input["file_path"]) ?? text(input["notebook_path"])
  const content = text(input["content"]) ?? text(input["new_string"])
  return {
    kind: "approval",
    permission: tool,
    title: `${tool}: ${command ?? path ?? JSON.stringify(input).slice(0, 200)}`,
    ...(command !== undefined && { command }),
    ...(path !== undefined && { paths: [path] }),
    ...(path !== undefined && content !== undefined && { diff: content })
  }
}

/**
 * What Claude is answered. Of the rules that it suggests none is handed back: they would be written into the user's
 * own settings.
 */
export const replyOf = ({ input }: CanUseTool, answer: Answer): Readonly<Record<string, unknown>> => {
  if ("answers" in answer) {
    const asked = Option.getOrUndefined(decodeQuestions(input))?.questions ?? []
    const answers = Object.fromEntries(
      asked.map(({ question }, i) => [question, (answer.answers[i] ?? []).join(", ")])
    )
    return { behavior: "allow", updatedInput: { ...input, answers } }
  }
  switch (answer.decision) {
    case "accept":
      return { behavior: "allow", updatedInput: input }
    case "decline":
      return {
        behavior: "deny",
        message: answer.message ?? "The user declined this. Go on without it, or ask what to do instead."
      }
    case "cancel":
      return { behavior: "deny", message: answer.message ?? "The user cancelled.", interrupt: true }
  }
}
