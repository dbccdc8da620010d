import { Effect, Schema } from "effect"
import { type Asked, type Dialect, ownWords, textOf, tokens, words } from "./Dialect.ts"
import type { Reply } from "./Model.ts"

const Part = Schema.Struct({ type: Schema.String, text: Schema.optional(Schema.String) })

const Message = Schema.Struct({
  role: Schema.String,
  content: Schema.optional(Schema.NullOr(Schema.Union([Schema.String, Schema.Array(Part)])))
})

const Request = Schema.Struct({
  model: Schema.String,
  messages: Schema.Array(Message),
  stream: Schema.optional(Schema.Boolean),
  tools: Schema.optional(Schema.Array(Schema.Struct({ function: Schema.Struct({ name: Schema.String }) })))
})

const contentOf = ({ content }: typeof Message.Type): string => {
  if (content === undefined || content === null) return ""
  return typeof content === "string" ? content : content.map(({ text }) => text ?? "").join("\n")
}

/** Qwen Code tells a message that was not answered with the next one, as a part of it; others send files as parts. */
const saidIn = (message: typeof Message.Type, isQwen: boolean): ReadonlyArray<string> => {
  const { content } = message
  if (!isQwen || typeof content === "string" || content == null) return [ownWords(contentOf(message))]
  const own = content.map(({ text }) => ownWords(text ?? "")).filter((text) => text !== "")
  return own.length === 0 ? [""] : own
}

const read = (body: unknown) =>
  Effect.map(Schema.decodeUnknownEffect(Request)(body), ({ messages, model, stream, tools }): Asked => {
    const last = messages.findLastIndex(({ role }) => role === "user")
    const isQwen = tools?.some((tool) => tool.function.name === "run_shell_command") === true
    return {
      model,
      said: messages.filter(({ role }) => role === "user").flatMap((message) => saidIn(message, isQwen)),
      results: messages
        .slice(last + 1)
        .filter(({ role }) => role === "tool")
        .map(contentOf),
      tools: (tools ?? []).map((tool) => tool.function.name),
      stream: stream === true,
      aside: false,
      body
    }
  })

const usageOf = ({ body }: Asked, reply: Reply) => {
  const prompt_tokens = tokens(body)
  const completion_tokens = tokens(textOf(reply))
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
}

const call = ({ input, name }: Extract<Reply, { readonly _tag: "Call" }>, { results, said }: Asked) => ({
  id: `call_${said.length}_${results.length}`,
  type: "function",
  function: { name, arguments: JSON.stringify(input) }
})

function* frames(asked: Asked, reply: Reply): Generator<string> {
  const chunk = (delta: unknown, finish: string | null) =>
    `data: ${JSON.stringify({
      id: "chatcmpl-recall",
      object: "chat.completion.chunk",
      model: asked.model,
      choices: [{ index: 0, delta, finish_reason: finish }]
    })}\n\n`
  yield chunk({ role: "assistant", content: "" }, null)
  if (reply._tag === "Say" && reply.reasoning !== undefined)
    yield chunk({ reasoning_content: reply.reasoning }, null)
  for (const word of words(textOf(reply))) yield chunk({ content: word }, null)
  if (reply._tag === "Hang") return
  if (reply._tag === "Call") yield chunk({ tool_calls: [{ index: 0, ...call(reply, asked) }] }, null)
  yield chunk({}, reply._tag === "Call" ? "tool_calls" : "stop")
  const usage = { id: "chatcmpl-recall", object: "chat.completion.chunk", model: asked.model, choices: [] }
  yield `data: ${JSON.stringify({ ...usage, usage: usageOf(asked, reply) })}\n\n`
  yield "data: [DONE]\n\n"
}

/** OpenAI's chat completions. */
export const chatCompletions: Dialect = {
  path: "/v1/chat/completions",
  read,
  frames,
  whole: (asked, reply) => ({
    id: "chatcmpl-recall",
    object: "chat.completion",
    model: asked.model,
    choices: [
      {
        index: 0,
        finish_reason: reply._tag === "Call" ? "tool_calls" : "stop",
        message: {
          role: "assistant",
          content: textOf(reply),
          ...(reply._tag === "Call" && { tool_calls: [call(reply, asked)] })
        }
      }
    ],
    usage: usageOf(asked, reply)
  }),
  failure: (_, message) => ({ error: { message, type: "scripted", code: "scripted" } })
}
