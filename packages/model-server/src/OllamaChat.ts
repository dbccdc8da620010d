import { Effect, Schema } from "effect"
import { type Asked, type Dialect, ownWords, Refused, textOf, tokens, words } from "./Dialect.ts"
import type { Reply } from "./Model.ts"

const Message = Schema.Struct({
  role: Schema.String,
  content: Schema.String,
  images: Schema.optionalKey(Schema.Array(Schema.String))
})

const Request = Schema.Struct({
  model: Schema.String,
  messages: Schema.Array(Message),
  stream: Schema.optional(Schema.Boolean),
  truncate: Schema.optional(Schema.Boolean),
  options: Schema.optional(Schema.Struct({ num_ctx: Schema.optional(Schema.Int) }))
})

/** What Ollama gives a model that asks for nothing, where there is little memory. */
const usual = 4096

export interface OllamaBehaviour {
  /** In tokens, as `/api/show` tells it of the model. */
  readonly most: number
  /** Whether a model's engine cuts off what is too long even where it is told not to; some do. */
  readonly cuts: boolean
}

const countOf = (messages: ReadonlyArray<typeof Message.Type>) =>
  messages.reduce(
    (sum, { content, images = [] }) =>
      sum + Math.max(tokens(content), words(content).length) + 1 + images.length,
    0
  )

/**
 * Ollama's own chat: lines of JSON. What is longer than the window is cut off from the front in silence, or refused where
 * `truncate` is false.
 */
export const ollamaChat = ({ cuts, most }: OllamaBehaviour): Dialect => {
  const windowOf = (body: unknown): number => {
    const { options } = Schema.decodeUnknownSync(Request)(body)
    return Math.min(options?.num_ctx ?? usual, most)
  }
  const kept = (body: unknown) => {
    const window = windowOf(body)
    const { messages } = Schema.decodeUnknownSync(Request)(body)
    let first = 0
    while (countOf(messages.slice(first)) > window && first < messages.length - 1) first++
    return messages.slice(first)
  }
  const ended = ({ body }: Asked, reply: Reply) => ({
    done: true,
    done_reason: "stop",
    prompt_eval_count: Math.min(countOf(kept(body)), windowOf(body)),
    eval_count: tokens(textOf(reply))
  })
  return {
    path: "/api/chat",
    contentType: "application/x-ndjson",
    read: (body) =>
      Effect.flatMap(Schema.decodeUnknownEffect(Request)(body), ({ messages, model, stream, truncate }) => {
        const window = windowOf(body)
        if (truncate === false && !cuts && countOf(messages) > window)
          return Effect.fail(
            new Refused({
              status: 400,
              message: "the request exceeds the available context size, try increasing it"
            })
          )
        return Effect.succeed<Asked>({
          model,
          said: kept(body)
            .filter(({ role }) => role === "user")
            .map(({ content }) => ownWords(content)),
          results: [],
          tools: [],
          stream: stream !== false,
          aside: false,
          body
        })
      }),
    frames: function* (asked, reply) {
      const line = (message: object, rest: object = { done: false }) =>
        `${JSON.stringify({ model: asked.model, message: { role: "assistant", content: "", ...message }, ...rest })}\n`
      if (reply._tag === "Say" && reply.reasoning !== undefined) yield line({ thinking: reply.reasoning })
      for (const word of words(textOf(reply))) yield line({ content: word })
      if (reply._tag !== "Hang") yield line({}, ended(asked, reply))
    },
    whole: (asked, reply) => ({
      model: asked.model,
      message: { role: "assistant", content: textOf(reply) },
      ...ended(asked, reply)
    }),
    failure: (_, message) => ({ error: message })
  }
}
