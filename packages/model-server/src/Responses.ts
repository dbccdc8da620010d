import { Effect, Schema } from "effect"
import { type Asked, type Dialect, frame, ownWords, textOf, tokens, words } from "./Dialect.ts"
import type { Reply } from "./Model.ts"

const Part = Schema.Struct({ type: Schema.String, text: Schema.optional(Schema.String) })

const Item = Schema.Struct({
  type: Schema.optional(Schema.String),
  role: Schema.optional(Schema.String),
  content: Schema.optional(Schema.NullOr(Schema.Union([Schema.String, Schema.Array(Part)]))),
  output: Schema.optional(Schema.Unknown)
})

const Request = Schema.Struct({
  model: Schema.String,
  input: Schema.Array(Item),
  stream: Schema.optional(Schema.Boolean),
  tools: Schema.optional(
    Schema.Array(Schema.Struct({ type: Schema.String, name: Schema.optional(Schema.String) }))
  )
})

const contentOf = ({ content }: typeof Item.Type): string => {
  if (content === undefined || content === null) return ""
  return typeof content === "string" ? content : content.map(({ text }) => text ?? "").join("\n")
}

const said = (item: typeof Item.Type): string => (item.role === "user" ? ownWords(contentOf(item)) : "")

const read = (body: unknown) =>
  Effect.map(Schema.decodeUnknownEffect(Request)(body), ({ input, model, stream, tools }): Asked => {
    const last = input.findLastIndex((item) => said(item) !== "")
    return {
      model,
      said: input.map(said).filter((text) => text !== ""),
      results: input
        .slice(last + 1)
        .filter(({ type }) => type?.endsWith("_output") === true)
        .map(({ output }) => (typeof output === "string" ? output : JSON.stringify(output))),
      tools: (tools ?? []).map(({ name, type }) => name ?? type),
      stream: stream === true,
      aside: false,
      body
    }
  })

/** What the answer is made of, each with the events that tell its content piece by piece. */
const outputOf = ({ results, said }: Asked, reply: Reply) => {
  const id = `${said.length}_${results.length}`
  switch (reply._tag) {
    case "Call": {
      const call = { call_id: `call_${id}`, name: reply.name }
      return typeof reply.input === "string"
        ? [{ type: "custom_tool_call", id: `ctc_${id}`, ...call, input: reply.input }]
        : [{ type: "function_call", id: `fc_${id}`, ...call, arguments: JSON.stringify(reply.input) }]
    }
    case "Fail":
      return []
    case "Hang":
    case "Say": {
      const message = {
        type: "message",
        id: `msg_${id}`,
        role: "assistant",
        status: "completed",
        content: [{ type: "output_text", text: reply.text, annotations: [] }]
      }
      const reasoning = reply._tag === "Say" ? reply.reasoning : undefined
      return reasoning === undefined
        ? [message]
        : [
            { type: "reasoning", id: `rs_${id}`, summary: [{ type: "summary_text", text: reasoning }] },
            message
          ]
    }
  }
}

function* frames(asked: Asked, reply: Reply): Generator<string> {
  const response = { id: "resp_recall", status: "in_progress" }
  yield frame("response.created", { response })
  for (const [output_index, item] of outputOf(asked, reply).entries()) {
    const at = { item_id: item.id, output_index }
    const empty = { message: { content: [] }, reasoning: { summary: [] }, function_call: { arguments: "" } }
    yield frame("response.output_item.added", {
      output_index,
      item: { ...item, ...empty[item.type as keyof typeof empty] }
    })
    if ("summary" in item) {
      const text = item.summary[0]?.text ?? ""
      const summary = { ...at, summary_index: 0 }
      yield frame("response.reasoning_summary_part.added", {
        ...summary,
        part: { type: "summary_text", text: "" }
      })
      for (const delta of words(text))
        yield frame("response.reasoning_summary_text.delta", { ...summary, delta })
      yield frame("response.reasoning_summary_text.done", { ...summary, text })
    }
    if ("content" in item) {
      for (const delta of words(item.content[0]?.text ?? "")) {
        yield frame("response.output_text.delta", { ...at, content_index: 0, delta })
      }
      if (reply._tag === "Hang") return
    }
    yield frame("response.output_item.done", { output_index, item })
  }
  const input_tokens = tokens(asked.body)
  const output_tokens = tokens(textOf(reply))
  const usage = {
    input_tokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input_tokens + output_tokens
  }
  yield frame("response.completed", { response: { ...response, status: "completed", usage } })
}

/** OpenAI's responses. */
export const responses: Dialect = {
  path: "/v1/responses",
  read,
  frames,
  whole: (asked, reply) => ({ id: "resp_recall", status: "completed", output: outputOf(asked, reply) }),
  failure: (status, message) => ({
    error: { message, type: status < 500 ? "invalid_request_error" : "server_error", code: null }
  })
}
