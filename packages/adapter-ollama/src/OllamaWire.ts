import { Effect, Option, Schema, Stream } from "effect"
import { failureOf, json, lines } from "./Http.ts"
import type { OllamaOptions } from "./OllamaOptions.ts"
import { type Chat, type Wire, WireFailure, Written } from "./Wire.ts"

// Ollama's own API. Without being told otherwise it cuts the oldest messages off in silence, so it always is.

const Tags = Schema.Struct({ models: Schema.Array(Schema.Struct({ name: Schema.String })) })
const Version = Schema.Struct({ version: Schema.String })
const Show = Schema.Struct({ model_info: Schema.Record(Schema.String, Schema.Unknown) })
const Running = Schema.Struct({
  models: Schema.Array(Schema.Struct({ name: Schema.String, context_length: Schema.optionalKey(Schema.Int) }))
})
const Chunk = Schema.Struct({
  error: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(
    Schema.Struct({
      content: Schema.optionalKey(Schema.String),
      thinking: Schema.optionalKey(Schema.String)
    })
  ),
  done: Schema.optionalKey(Schema.Boolean),
  done_reason: Schema.optionalKey(Schema.String),
  prompt_eval_count: Schema.optionalKey(Schema.Int),
  eval_count: Schema.optionalKey(Schema.Int)
})
const decodeChunk = Schema.decodeUnknownOption(Schema.fromJsonString(Chunk))

/** In tokens. Enough for a conversation, and what a small machine can hold beside a small model. */
const usual = 16_384

/** The same model by its name with and without the tag that goes without saying. */
const isNamed = (model: string) => (other: { readonly name: string }) =>
  other.name === model || other.name === `${model}:latest`

const unreadable = (what: string) => () =>
  new WireFailure({ kind: "refused", message: `What it tells of ${what} cannot be read.` })

export const ollamaWire = ({ context, key, url }: Pick<OllamaOptions, "context" | "key" | "url">): Wire => {
  const get = (path: string) => json({ method: "GET", url: `${url}${path}`, key })
  const decoded = <S extends Schema.Decoder<unknown>>(schema: S, path: string, what: string) =>
    Effect.flatMap(get(path), (body) =>
      Effect.mapError(Schema.decodeUnknownEffect(schema)(body), unreadable(what))
    )
  const windows = new Map<string, number>()

  const piecesOf = (line: string): Effect.Effect<ReadonlyArray<Written>, WireFailure> => {
    const chunk = Option.getOrUndefined(decodeChunk(line))
    if (chunk === undefined) return Effect.fail(unreadable("its answer")())
    // In the middle of an answer that began well.
    if (chunk.error !== undefined) return Effect.fail(failureOf(500, chunk))
    const { content = "", thinking = "" } = chunk.message ?? {}
    return Effect.succeed([
      ...(thinking === "" ? [] : [Written.Thought({ text: thinking })]),
      ...(content === "" ? [] : [Written.Said({ text: content })]),
      ...(chunk.done === true
        ? [
            Written.Ended({
              cut: chunk.done_reason === "length",
              promptTokens: chunk.prompt_eval_count,
              answerTokens: chunk.eval_count
            })
          ]
        : [])
    ])
  }

  return {
    version: Effect.map(decoded(Version, "/api/version", "its version"), ({ version }) => version),
    models: Effect.map(decoded(Tags, "/api/tags", "its models"), ({ models }) =>
      models.map(({ name }) => ({ id: name, name }))
    ),
    windowOf: (model) =>
      Effect.gen(function* () {
        const known = windows.get(model)
        if (known !== undefined) return known
        const body = yield* json({ method: "POST", url: `${url}/api/show`, key, body: { model } })
        const { model_info } = yield* Effect.mapError(
          Schema.decodeUnknownEffect(Show)(body),
          unreadable(`the model ${model}`)
        )
        const [, most] = Object.entries(model_info).find(([name]) => name.endsWith(".context_length")) ?? []
        const wanted = context ?? usual
        const window = typeof most === "number" ? Math.min(wanted, most) : wanted
        windows.set(model, window)
        return window
      }),
    chat: ({ messages, model, window }: Chat) =>
      lines({
        method: "POST",
        url: `${url}/api/chat`,
        key,
        body: {
          model,
          stream: true,
          // Else what does not fit is cut off without a word.
          truncate: false,
          shift: false,
          options: { num_ctx: window },
          messages: messages.map(({ images, role, text }) => ({
            role,
            content: text,
            ...(images.length > 0 && { images: images.map(({ data }) => data) })
          }))
        }
      }).pipe(Stream.mapEffect(piecesOf), Stream.flattenIterable),
    loadedWindow: (model) =>
      decoded(Running, "/api/ps", "what it runs").pipe(
        Effect.map(({ models }) => models.find(isNamed(model))?.context_length),
        Effect.orElseSucceed(() => undefined)
      )
  }
}
