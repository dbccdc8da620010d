import type {
  CreateElicitationRequest,
  CreateElicitationResponse,
  ElicitationPropertySchema,
  RequestPermissionRequest,
  RequestPermissionResponse
} from "@agentclientprotocol/sdk"
import type { Answer, Approval, PendingRequest, Question, UserInput } from "@rejoin/contracts/Request"
import { brief } from "@rejoin/shown/Visible"
import { Predicate } from "effect"
import { diffsOf, textContent } from "./AcpUpdates.ts"

// What an agent asks, as the protocol asks it, and what is answered to it. Pure. Undefined as an answer means none: it
// waits on, to be answered here again or elsewhere.

/** The id of an option is what it says to us; never the kind of it, of which there may be two. */
const choices = {
  accept: { decision: "accept" },
  "accept-always": { decision: "accept", remember: "thread" },
  decline: { decision: "decline" }
} as const satisfies Record<string, Answer>

export const permissionOf = (
  sessionId: string,
  { id }: PendingRequest,
  { command, covers, diff, paths = [], title }: Approval
): RequestPermissionRequest => {
  const [path = ""] = paths
  return {
    sessionId,
    toolCall: {
      toolCallId: id,
      status: "pending",
      kind: command !== undefined ? "execute" : diff !== undefined ? "edit" : "other",
      title: brief(command ?? title, 300),
      rawInput: { ...(command !== undefined && { command }), ...(paths.length > 0 && { paths }) },
      locations: paths.map((path) => ({ path })),
      // The whole of it: what is hidden cannot be judged.
      content: [
        ...(command !== undefined && command.length > 300 ? [textContent(command)] : []),
        ...(diff === undefined ? [] : diffsOf({ path, diff }))
      ]
    },
    options: [
      { optionId: "accept", name: "Allow", kind: "allow_once" },
      ...(covers === undefined
        ? []
        : [
            {
              optionId: "accept-always",
              name: "Allow just this, always in this thread",
              kind: "allow_always" as const
            }
          ]),
      { optionId: "decline", name: "Decline", kind: "reject_once" }
    ]
  }
}

export const decisionOf = ({ outcome }: RequestPermissionResponse): Answer | undefined =>
  outcome.outcome === "selected" && Object.hasOwn(choices, outcome.optionId)
    ? choices[outcome.optionId as keyof typeof choices]
    : undefined

const propertyOf = ({ header, multiple, options, question }: Question): ElicitationPropertySchema => {
  const about = { title: header ?? brief(question, 80), description: question }
  const oneOf = options.map(({ description, label }) => ({
    const: label,
    title: description === undefined ? label : `${label}: ${description}`
  }))
  if (options.length === 0) return { type: "string", ...about }
  return multiple === true
    ? { type: "array", ...about, items: { anyOf: oneOf } }
    : { type: "string", ...about, oneOf }
}

export const elicitationOf = (sessionId: string, { questions }: UserInput): CreateElicitationRequest => ({
  mode: "form",
  sessionId,
  message: questions.map(({ question }) => question).join("\n"),
  requestedSchema: {
    type: "object",
    properties: Object.fromEntries(questions.map((question, at) => [`answer${at}`, propertyOf(question)])),
    required: questions.map((_, at) => `answer${at}`)
  }
})

export const answersOf = (
  { questions }: UserInput,
  response: CreateElicitationResponse
): Answer | undefined => {
  // Who says no to the question ends the turn that waits for it; who only closes it has not answered.
  if (response.action === "decline") return { decision: "cancel" }
  if (response.action !== "accept" || !("content" in response)) return undefined
  const content: unknown = response.content
  return {
    answers: questions.map((_, at) => {
      const value = Predicate.hasProperty(content, `answer${at}`) ? content[`answer${at}`] : undefined
      if (Array.isArray(value)) return value.map(String)
      return Predicate.isString(value) || Predicate.isNumber(value) || Predicate.isBoolean(value)
        ? [String(value)]
        : []
    })
  }
}

/**
 * A question for a client that knows only approvals: one answer an option. Undefined where it cannot be asked so: it has
 * to be written, or is several.
 */
export const questionOf = (
  sessionId: string,
  { id }: PendingRequest,
  { questions }: UserInput
): RequestPermissionRequest | undefined => {
  const [question, another] = questions
  if (question === undefined || another !== undefined || question.multiple === true) return undefined
  if (question.options.length === 0) return undefined
  return {
    sessionId,
    toolCall: { toolCallId: id, status: "pending", kind: "other", title: brief(question.question, 300) },
    options: [
      ...question.options.map(({ label }, at) => ({
        optionId: `option${at}`,
        name: label,
        kind: "allow_once" as const
      })),
      { optionId: "decline", name: "End the turn", kind: "reject_once" }
    ]
  }
}

export const chosenOf = (
  { questions }: UserInput,
  { outcome }: RequestPermissionResponse
): Answer | undefined => {
  if (outcome.outcome !== "selected") return undefined
  if (outcome.optionId === "decline") return { decision: "cancel" }
  const label = questions[0]?.options.find((_, at) => `option${at}` === outcome.optionId)?.label
  return label === undefined ? undefined : { answers: [[label]] }
}
