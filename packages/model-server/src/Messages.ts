import { Effect, Schema } from "effect"
import { type Asked, type Dialect, frame, ownWords, textOf, tokens, words } from "./Dialect.ts"
import type { Reply } from "./Model.ts"

const Block = Schema.Struct({
  type: Schema.String,
  text: Schema.optional(Schema.String),
  content: Schema.optional(
    Schema.Union([
      Schema.String,
      Schema.Array(Schema.Struct({ type: Schema.String, text: Schema.optional(Schema.String) }))
    ])
  )
})

const Message = Schema.Struct({
  role: Schema.String,
  content: Schema.Union([Schema.String, Schema.Array(Block)])
})

const Request = Schema.Struct({
  model: Schema.String,
  messages: Schema.Array(Message),
  stream: Schema.optional(Schema.Boolean),
  tools: Schema.optional(Schema.Array(Schema.Struct({ name: Schema.String })))
})

const blocksOf = ({ content }: typeof Message.Type): ReadonlyArray<typeof Block.Type> =>
  typeof content === "string" ? [{ type: "text", text: content }] : content

const said = (message: typeof Message.Type): ReadonlyArray<string> =>
  message.role === "user"
    ? blocksOf(message)
        .map(({ text }) => ownWords(text ?? ""))
        .filter((text) => text !== "")
    : []

const resultOf = ({ content }: typeof Block.Type): string =>
  typeof content === "string" ? content : (content ?? []).map(({ text }) => text ?? "").join("\n")

const read = (body: unknown) =>
  Effect.map(Schema.decodeUnknownEffect(Request)(body), ({ messages, model, stream, tools }): Asked => {
    const last = messages.findLastIndex((message) => said(message).length > 0)
    return {
      model,
      said: messages.flatMap(said),
      results: messages
        .slice(last)
        .flatMap(blocksOf)
        .filter(({ type }) => type === "tool_result")
        .map(resultOf),
      tools: (tools ?? []).map(({ name }) => name),
      stream: stream === true,
      aside: tools === undefined || tools.length === 0,
      body
    }
  })

/** The blocks of an answer: as they end, and as they begin with the deltas that lead from one to the other. */
const blocksOfReply = ({ results, said }: Asked, reply: Reply) => {
  const text = (text: string) => ({
    whole: { type: "text", text },
    start: { type: "text", text: "" },
    deltas: words(text).map((word) => ({ type: "text_delta", text: word }))
  })
  switch (reply._tag) {
    case "Call": {
      const use = { type: "tool_use", id: `toolu_${said.length}_${results.length}`, name: reply.name }
      const delta = { type: "input_json_delta", partial_json: JSON.stringify(reply.input) }
      return [{ whole: { ...use, input: reply.input }, start: { ...use, input: {} }, deltas: [delta] }]
    }
    case "Fail":
      return []
    case "Hang":
    case "Say": {
      const thinking = reply._tag === "Say" ? reply.reasoning : undefined
      if (thinking === undefined) return [text(reply.text)]
      const signature = "c2lnbmVk"
      return [
        {
          whole: { type: "thinking", thinking, signature },
          start: { type: "thinking", thinking: "", signature: "" },
          deltas: [
            { type: "thinking_delta", thinking },
            { type: "signature_delta", signature }
          ]
        },
        text(reply.text)
      ]
    }
  }
}

const stopOf = (reply: Reply) => (reply._tag === "Call" ? "tool_use" : "end_turn")

const messageOf = ({ body, model, results, said }: Asked) => ({
  // Two of one id are one message to the agent.
  id: `msg_${said.length}_${results.length}`,
  type: "message",
  role: "assistant",
  model,
  stop_sequence: null,
  usage: { input_tokens: tokens(body), output_tokens: 1 }
})

function* frames(asked: Asked, reply: Reply): Generator<string> {
  yield frame("message_start", { message: { ...messageOf(asked), content: [], stop_reason: null } })
  for (const [index, { deltas, start }] of blocksOfReply(asked, reply).entries()) {
    yield frame("content_block_start", { index, content_block: start })
    for (const delta of deltas) yield frame("content_block_delta", { index, delta })
    if (reply._tag === "Hang") return
    yield frame("content_block_stop", { index })
  }
  const delta = { stop_reason: stopOf(reply), stop_sequence: null }
  yield frame("message_delta", { delta, usage: { output_tokens: tokens(textOf(reply)) } })
  yield frame("message_stop", {})
}

const errors: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  529: "overloaded_error"
}

/** Anthropic's messages. */
export const messages: Dialect = {
  path: "/v1/messages",
  read,
  frames,
  whole: (asked, reply) => ({
    ...messageOf(asked),
    stop_reason: stopOf(reply),
    content: blocksOfReply(asked, reply).map(({ whole }) => whole)
  }),
  failure: (status, message) => ({ type: "error", error: { type: errors[status] ?? "api_error", message } })
}
