import { Schema } from "effect"

const Text = Schema.Struct({ type: Schema.String, text: Schema.optional(Schema.String) })

/** A message as OpenAI's chat completions have it, as far as a model here looks at it. */
export const ChatMessage = Schema.Struct({
  role: Schema.String,
  content: Schema.optional(Schema.NullOr(Schema.Union([Schema.String, Schema.Array(Text)]))),
  tool_calls: Schema.optional(Schema.Unknown)
})
export type ChatMessage = typeof ChatMessage.Type

export const ChatRequest = Schema.Struct({
  model: Schema.String,
  messages: Schema.Array(ChatMessage),
  stream: Schema.optional(Schema.Boolean),
  tools: Schema.optional(Schema.Array(Schema.Struct({ function: Schema.Struct({ name: Schema.String }) })))
})
export type ChatRequest = typeof ChatRequest.Type

/** What a model answers to one request. */
export type Reply =
  | { readonly _tag: "Say"; readonly text: string; readonly reasoning?: string }
  | { readonly _tag: "Call"; readonly name: string; readonly input: Readonly<Record<string, unknown>> }
  | { readonly _tag: "Fail"; readonly status: number; readonly message: string }
  /** Begins to answer and never ends. */
  | { readonly _tag: "Hang"; readonly text: string }

/** A model: a pure function of what it is sent. */
export type Responder = (request: ChatRequest) => Reply

export const textOf = ({ content }: ChatMessage): string => {
  if (content === undefined || content === null) return ""
  return typeof content === "string" ? content : content.map(({ text }) => text ?? "").join("\n")
}

/** What the user has said in the conversation, oldest first: as the model received it. */
export const said = ({ messages }: ChatRequest): ReadonlyArray<string> =>
  messages.filter(({ role }) => role === "user").map((message) => textOf(message).trim())

/** What came after the user's last message: the results of the tools that the answer has called so far. */
export const toolResults = ({ messages }: ChatRequest): ReadonlyArray<string> => {
  const last = messages.findLastIndex(({ role }) => role === "user")
  return messages
    .slice(last + 1)
    .filter(({ role }) => role === "tool")
    .map(textOf)
}

export const hasTool = ({ tools }: ChatRequest, name: string): boolean =>
  tools?.some((tool) => tool.function.name === name) ?? false
