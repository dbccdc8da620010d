import { createOpencodeClient, type OpencodeClient } from "@opencode-ai/sdk/v2/client"
import { Agent, fetch } from "undici"
import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import { Effect, Predicate, Redacted, Schema } from "effect"
import { NotFoundBody } from "./OpenCodeSchema.ts"

/** What a call came back with. Nothing is read from texts; what is not a plain answer means nothing in particular. */
export type Answer =
  | { readonly _tag: "Ok"; readonly data: unknown }
  | { readonly _tag: "Refused"; readonly status: number; readonly body: unknown }
  | { readonly _tag: "Down"; readonly cause: string }

interface SdkResult {
  readonly data?: unknown
  readonly error?: unknown
  readonly response?: Response | undefined
}

export interface Connection {
  readonly url: string
  readonly password: Redacted.Redacted | undefined
}

const isNotFoundBody = Schema.is(NotFoundBody)

/** Gone, and said so in the one way that counts: status 404 and the name NotFoundError (C7, C8, C33). */
export const isNotFound = (answer: Answer): boolean =>
  answer._tag === "Refused" && answer.status === 404 && isNotFoundBody(answer.body)

/**
 * Connections of one client's own, which are kept for a burst of calls alone. One server follows another on the same
 * port, and a connection that was kept from the last one breaks the first call to the next; and asked to close it by a
 * header, OpenCode closes under an answer that is long (docs/providers/opencode.md: Server).
 */
const makeFetch = (): typeof globalThis.fetch => {
  const dispatcher = new Agent({ keepAliveTimeout: 100, keepAliveMaxTimeout: 100 })
  return async (asked, init) => {
    const request = new Request(asked, init)
    const { headers, method, signal, url } = request
    const body = request.body === null ? null : await request.text()
    return fetch(url, { method, headers: [...headers], body, signal, dispatcher })
  }
}

/** OpenCode's HTTP interface, through its SDK, for one provider instance. */
export class OpenCodeClient {
  readonly provider: string
  readonly sdk: OpencodeClient

  constructor(provider: string, { password, url }: Connection) {
    this.provider = provider
    const secret = password === undefined ? undefined : Redacted.value(password)
    const authorization = secret === undefined ? {} : { Authorization: `Basic ${btoa(`opencode:${secret}`)}` }
    this.sdk = createOpencodeClient({ baseUrl: url, headers: authorization, fetch: makeFetch() })
  }

  ask(call: (sdk: OpencodeClient, signal: AbortSignal) => Promise<SdkResult>): Effect.Effect<Answer> {
    return Effect.tryPromise({
      try: (signal) => call(this.sdk, signal),
      // fetch fails with a TypeError; any other error is the SDK's, about an answer that it cannot read.
      catch: (cause): Answer =>
        cause instanceof TypeError
          ? { _tag: "Down", cause: causeOf(cause) }
          : { _tag: "Refused", status: 200, body: "not understood" }
    }).pipe(
      Effect.map(({ data, error, response }): Answer => {
        if (response === undefined) return { _tag: "Down", cause: causeOf(error) }
        if (!response.ok) return { _tag: "Refused", status: response.status, body: error }
        // A route that is not there answers 200 with a page (docs/providers/opencode.md: Errors).
        const isPage = response.headers.get("content-type")?.includes("text/html") === true
        return isPage ? { _tag: "Refused", status: 200, body: "text/html" } : { _tag: "Ok", data }
      }),
      Effect.catch(Effect.succeed)
    )
  }

  /** An answer that must be there and of this shape: a success without data is an error (C14, C24). */
  read<A>(
    what: string,
    schema: Schema.Codec<A, unknown>,
    call: (sdk: OpencodeClient, signal: AbortSignal) => Promise<SdkResult>
  ): Effect.Effect<A, ProviderFailed | ProviderUnavailable> {
    const decode = Schema.decodeUnknownEffect(schema)
    return Effect.flatMap(this.ask(call), (answer) =>
      answer._tag === "Ok"
        ? decode(answer.data).pipe(Effect.mapError(({ message }) => this.failed(`${what}: ${message}`)))
        : Effect.fail(this.failure(what, answer))
    )
  }

  /** A call whose answer carries nothing. */
  run(
    what: string,
    call: (sdk: OpencodeClient, signal: AbortSignal) => Promise<SdkResult>
  ): Effect.Effect<void, ProviderFailed | ProviderUnavailable> {
    return Effect.flatMap(this.ask(call), (answer) =>
      answer._tag === "Ok" ? Effect.void : Effect.fail(this.failure(what, answer))
    )
  }

  failure(
    what: string,
    answer: Exclude<Answer, { readonly _tag: "Ok" }>
  ): ProviderFailed | ProviderUnavailable {
    if (answer._tag === "Down") {
      return new ProviderUnavailable({
        provider: this.provider,
        message: `OpenCode cannot be reached (${what}: ${answer.cause}).`
      })
    }
    const { body, status } = answer
    return new ProviderFailed({
      provider: this.provider,
      message: `OpenCode refused (${what}: status ${status}).`,
      detail: { status, body }
    })
  }

  failed(message: string): ProviderFailed {
    return new ProviderFailed({
      provider: this.provider,
      message: `OpenCode answered what it should not (${message}).`
    })
  }
}

const causeOf = (cause: unknown): string => {
  if (!Predicate.isError(cause)) return "no answer"
  const inner = cause.cause
  return Predicate.hasProperty(inner, "code") ? String(inner.code) : cause.message
}
