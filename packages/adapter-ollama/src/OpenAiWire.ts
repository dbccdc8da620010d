import { Effect, Option, Schema, Stream } from "effect"
import { failureOf, json, lines } from "./Http.ts"
import type { OllamaOptions } from "./OllamaOptions.ts"
import { type Chat, type Wire, WireFailure, Written } from "./Wire.ts"

// Chat completions, as vLLM, LM Studio, llama.cpp and others have them. Their window is their own: what does not fit is
// refused by llama.cpp and vLLM.

const Models = Schema.Struct({
  data: Schema.Array(
    Schema.Struct({ id: Schema.String, max_model_len: Schema.optionalKey(Schema.NullOr(Schema.Finite)) })
  )
})
const Text = Schema.optionalKey(Schema.NullOr(Schema.String))
const Chunk = Schema.Struct({
  error: Schema.optionalKey(Schema.Unknown),
  choices: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        delta: Schema.optionalKey(Schema.Struct({ content: Text, reasoning_content: Text, reasoning: Text })),
        finish_reason: Text
      })
    )
  ),
  usage: Schema.optionalKey(
    Schema.NullOr(Schema.Struct({ prompt_tokens: Schema.Int, completion_tokens: Schema.Int }))
  )
})
const decodeChunk = Schema.decodeUnknownOption(Schema.fromJsonString(Chunk))

const unreadable = (what: string) =>
  new WireFailure({ kind: "refused", message: `What it tells of ${what} cannot be read.` })

const contentOf = ({ images, text }: Chat["messages"][number]) =>
  images.length === 0
    ? text
    : [
        ...images.map(({ data, mediaType }) => ({
          type: "image_url",
          image_url: { url: `data:${mediaType};base64,${data}` }
        })),
        { type: "text", text }
      ]

export const openAiWire = ({ key, url }: Pick<OllamaOptions, "key" | "url">): Wire => {
  const models = Effect.flatMap(json({ method: "GET", url: `${url}/models`, key }), (body) =>
    Effect.mapError(Schema.decodeUnknownEffect(Models)(body), () => unreadable("its models"))
  )
  return {
    version: Effect.as(models, null),
    models: Effect.map(models, ({ data }) =>
      data.map(({ id, max_model_len: context }) => ({
        id,
        name: id,
        ...(typeof context === "number" && { context })
      }))
    ),
    windowOf: () => Effect.void as Effect.Effect<undefined>,
    chat: ({ messages, model }) => {
      // Its reason comes before its numbers.
      let reason: string | null | undefined
      let usage: (typeof Chunk.Type)["usage"]
      const piecesOf = (line: string): Effect.Effect<ReadonlyArray<Written>, WireFailure> => {
        if (!line.startsWith("data:")) return Effect.succeed([])
        const data = line.slice("data:".length).trim()
        if (data === "[DONE]") {
          return Effect.succeed([
            Written.Ended({
              cut: reason === "length",
              promptTokens: usage?.prompt_tokens,
              answerTokens: usage?.completion_tokens
            })
          ])
        }
        const chunk = Option.getOrUndefined(decodeChunk(data))
        if (chunk === undefined) return Effect.fail(unreadable("its answer"))
        if (chunk.error != null) return Effect.fail(failureOf(500, chunk))
        if (chunk.usage) usage = chunk.usage
        const [choice] = chunk.choices ?? []
        reason = choice?.finish_reason ?? reason
        const { content, reasoning, reasoning_content } = choice?.delta ?? {}
        const thought = reasoning_content ?? reasoning ?? ""
        return Effect.succeed([
          ...(thought === "" ? [] : [Written.Thought({ text: thought })]),
          ...(content ? [Written.Said({ text: content })] : [])
        ])
      }
      return lines({
        method: "POST",
        url: `${url}/chat/completions`,
        key,
        body: {
          model,
          stream: true,
          stream_options: { include_usage: true },
          messages: messages.map((message) => ({ role: message.role, content: contentOf(message) }))
        }
      }).pipe(Stream.mapEffect(piecesOf), Stream.flattenIterable)
    },
    loadedWindow: () => Effect.void as Effect.Effect<undefined>
  }
}
