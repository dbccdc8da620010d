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

const edits = new Set(["Edit", "MultiEdit", "NotebookEdit", "Write"])
/** What a call of the shell has beside its command that changes nothing of what it does. */
const harmless = new Set(["command", "description", "run_in_background", "timeout"])

/** In one order, however the model wrote it. */
const inOrder = (_: string, value: unknown): unknown =>
  Predicate.isObject(value) && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value

/** All that it would do: of every tool that is not known by its parts, the whole input. */
const coversOf = ({ input, tool_name: tool }: CanUseTool): string => {
  const command = text(input["command"])
  const path = text(input["file_path"]) ?? text(input["notebook_path"])
  if (tool === "Bash" && command !== undefined && Object.keys(input).every((key) => harmless.has(key)))
    return command
  return edits.has(tool) && path !== undefined ? path : JSON.stringify(input, inOrder)
}

/** What Claude wants to be allowed, or to know. `current` tells what a file holds now, where that may be shown. */
export const askOf = (
  request: CanUseTool,
  current: (path: string) => Parameters<typeof proposedDiff>[1]
): Approval | UserInput => {
  const { input, tool_name: tool } = request
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
  const about = text(input["url"]) ?? text(input["prompt"]) ?? text(input["query"])
  return {
    kind: "approval",
    permission: tool,
    title: `${tool}: ${command ?? path ?? about ?? JSON.stringify(input).slice(0, 2000)}`,
    ...(command !== undefined && { command }),
    ...(path !== undefined && { paths: [path] }),
    ...(diff !== undefined && { diff }),
    covers: [coversOf(request)]
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
