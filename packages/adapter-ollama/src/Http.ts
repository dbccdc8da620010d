import { Effect, Predicate, Redacted, Stream } from "effect"
import { Agent, fetch, type Response } from "undici"
import { WireFailure } from "./Wire.ts"

/** In ms. A model on a small machine reads for minutes before its first word; between two words it does not rest as long. */
const dispatcher = new Agent({ headersTimeout: 1_800_000, bodyTimeout: 600_000 })

interface Asked {
  readonly method: "GET" | "POST"
  readonly url: string
  readonly key: Redacted.Redacted | undefined
  readonly body?: unknown
}

const textOf = (body: unknown): string => {
  const error = Predicate.hasProperty(body, "error") ? body.error : body
  const message = Predicate.hasProperty(error, "message") ? error.message : error
  return Predicate.isString(message) ? message : JSON.stringify(message ?? null)
}

const number = (of: unknown, ...names: ReadonlyArray<string>): number | undefined => {
  for (const name of names)
    if (Predicate.hasProperty(of, name) && Predicate.isNumber(of[name])) return of[name]
  return undefined
}

/** By structure where a server has any: llama.cpp names the error and tells the numbers; Ollama and vLLM only say it. */
const isTooLong = (body: unknown): boolean => {
  const error = Predicate.hasProperty(body, "error") ? body.error : body
  const type = Predicate.hasProperty(error, "type") ? error.type : undefined
  const code = Predicate.hasProperty(error, "code") ? error.code : undefined
  if (type === "exceed_context_size_error" || code === "context_length_exceeded") return true
  return /exceeds the available context size|maximum context length|context length exceeded/i.test(
    textOf(body)
  )
}

/** What a server's no means. */
export const failureOf = (status: number, body: unknown, retryAfter?: number): WireFailure => {
  const error = Predicate.hasProperty(body, "error") ? body.error : body
  const promptTokens = number(error, "n_prompt_tokens")
  const window = number(error, "n_ctx")
  const kind =
    status === 404
      ? "no-model"
      : status === 400 && isTooLong(body)
        ? "too-long"
        : status === 429 || status >= 500
          ? "passing"
          : "refused"
  return new WireFailure({
    kind,
    status,
    message: textOf(body),
    ...(retryAfter !== undefined && { retryAfter }),
    ...(promptTokens !== undefined && { promptTokens }),
    ...(window !== undefined && { window })
  })
}

const away = (url: string) => (cause: unknown) =>
  new WireFailure({
    kind: "away",
    message: `Nobody answers on ${new URL(url).origin}: ${cause instanceof Error ? ((cause.cause as Error | undefined)?.message ?? cause.message) : String(cause)}`
  })

const respond = ({ body, key, method, url }: Asked) =>
  Effect.gen(function* () {
    const response = yield* Effect.tryPromise({
      try: (signal) =>
        fetch(url, {
          method,
          signal,
          dispatcher,
          // A server of models has no reason to send us, and our key, elsewhere.
          redirect: "error",
          headers: {
            ...(body !== undefined && { "Content-Type": "application/json" }),
            ...(key !== undefined && { Authorization: `Bearer ${Redacted.value(key)}` })
          },
          ...(body !== undefined && { body: JSON.stringify(body) })
        }),
      catch: away(url)
    })
    if (response.ok) return response
    const text = yield* Effect.promise(() => response.text().catch(() => ""))
    const after = Number(response.headers.get("retry-after") ?? Number.NaN)
    return yield* failureOf(response.status, parsed(text), Number.isFinite(after) ? after : undefined)
  })

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export const json = (asked: Asked): Effect.Effect<unknown, WireFailure> =>
  Effect.flatMap(respond(asked), (response) =>
    Effect.tryPromise({ try: () => response.json(), catch: away(asked.url) })
  )

/** The lines of an answer as they come. Who stops reading closes the connection, and by that ends the work. */
export const lines = (asked: Asked): Stream.Stream<string, WireFailure> =>
  Stream.unwrap(
    Effect.map(respond(asked), (response: Response) =>
      Stream.fromReadableStream({
        evaluate: () => response.body as ReadableStream<Uint8Array>,
        onError: away(asked.url)
      }).pipe(
        Stream.decodeText(),
        Stream.splitLines,
        Stream.filter((line) => line.trim() !== "")
      )
    )
  )
