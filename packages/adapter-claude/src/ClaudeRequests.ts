import type { Answer, Approval, UserInput } from "@rejoin/contracts/Request"
import { Option, Predicate, Schema } from "effect"
import { proposedDiff } from "./ClaudeEdits.ts"
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

/** What Claude wants to be allowed, or to know. `current` tells what a file holds now, where that may be shown. */
export const askOf = (
  { input, tool_name: tool }: CanUseTool,
  current: (path: string) => Parameters<typeof proposedDiff>[1]
): Approval | UserInput => {
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
  const diff = path === undefined ? undefined : proposedDiff(input, current(path))
  // A sub-agent's task, a page to be fetched: what matters of it, in its words.
  const about = text(input["prompt"]) ?? text(input["url"]) ?? text(input["query"])
  return {
    kind: "approval",
    permission: tool,
    title: `${tool}: ${command ?? path ?? about ?? JSON.stringify(input).slice(0, 2000)}`,
    ...(command !== undefined && { command }),
    ...(path !== undefined && { paths: [path] }),
    ...(diff !== undefined && { diff })
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
