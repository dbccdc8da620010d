import { NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, Predicate, Stream } from "effect"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"
import { chatCompletions } from "./ChatCompletions.ts"
import type { Asked, Dialect } from "./Dialect.ts"
import { generateContent } from "./GenerateContent.ts"
import { messages } from "./Messages.ts"
import type { Conversation, Reply, Responder } from "./Model.ts"
import { ollamaChat, type OllamaBehaviour } from "./OllamaChat.ts"
import { responses } from "./Responses.ts"

/** A model on loopback, behind each of the APIs that agents speak. What it was asked can be read back. */
export class ModelServer extends Context.Service<
  ModelServer,
  {
    /** Base URL, without the `/v1` that some agents want at its end. */
    readonly origin: string
    /** Base URL up to and with `/v1`. */
    readonly url: string
    /** Every request, in order; the newest `keep` of them. */
    readonly requests: () => ReadonlyArray<Conversation>
  }
>()("@rejoin/model-server/ModelServer") {
  static readonly layer = (
    respond: Responder,
    options: {
      readonly port?: number
      readonly keep?: number
      /** It speaks Ollama's API too, and has one model. */
      readonly ollama?: OllamaBehaviour
    } = {}
  ) => {
    const requests: Array<Conversation & { readonly key: string }> = []
    const conversationOf = (path: string, asked: Asked): Conversation => {
      const key = JSON.stringify([path, asked.said, asked.results])
      const attempt = requests.filter((earlier) => earlier.key === key).length + 1
      const conversation = { ...asked, attempt, key }
      requests.push(conversation)
      if (requests.length > (options.keep ?? 100)) requests.shift()
      return conversation
    }
    const route = (dialect: Dialect) =>
      HttpRouter.add(
        "POST",
        dialect.path,
        Effect.gen(function* () {
          const request = yield* HttpServerRequest.HttpServerRequest
          const asked = yield* dialect.read(yield* request.json, request.url)
          if (asked.aside) return answer(dialect, asked, { _tag: "Say", text: "ok" })
          return answer(dialect, asked, respond(conversationOf(dialect.path, asked)))
        }).pipe(
          Effect.catchTags({
            SchemaError: (error) =>
              HttpServerResponse.json(dialect.failure(400, error.message), { status: 400 }),
            Refused: ({ message, status }) =>
              HttpServerResponse.json(dialect.failure(status, message), { status })
          })
        )
      )
    return Layer.effect(
      ModelServer,
      Effect.map(HttpServer.HttpServer, ({ address }) => {
        const origin = `http://127.0.0.1:${"port" in address ? address.port : 0}`
        return ModelServer.of({ origin, url: `${origin}/v1`, requests: () => requests })
      })
    ).pipe(
      Layer.merge(
        HttpRouter.serve(
          Layer.mergeAll(
            route(chatCompletions),
            route(responses),
            route(messages),
            route(generateContent),
            document("GET", "/v1/models", () => ({
              object: "list",
              data: [{ id: "scripted", object: "model" }]
            })),
            options.ollama === undefined ? Layer.empty : ollama(options.ollama, route)
          ),
          {
            disableLogger: true,
            disableListenLog: true
          }
        )
      ),
      Layer.provide(
        NodeHttpServer.layer(createServer, {
          host: "127.0.0.1",
          port: options.port ?? 0,
          gracefulShutdownTimeout: "100 millis"
        })
      )
    )
  }
}

const document = (method: "GET" | "POST", path: `/${string}`, told: () => unknown) =>
  HttpRouter.add(
    method,
    path,
    Effect.sync(() => HttpServerResponse.jsonUnsafe(told()))
  )

/** As the source of Ollama 0.12 has it; none was run beside it. */
const ollama = <R>(behaviour: OllamaBehaviour, route: (dialect: Dialect) => Layer.Layer<never, never, R>) => {
  const chat = ollamaChat(behaviour)
  let loaded: number | undefined
  const named = { name: "scripted:latest", model: "scripted:latest" }
  return Layer.mergeAll(
    route({
      ...chat,
      read: (body, url) => {
        loaded = (body as { options?: { num_ctx?: number } }).options?.num_ctx ?? 4096
        return chat.read(body, url)
      }
    }),
    document("GET", "/api/version", () => ({ version: "0.12.6" })),
    document("GET", "/api/tags", () => ({ models: [named] })),
    document("POST", "/api/show", () => ({
      capabilities: ["completion"],
      model_info: { "general.architecture": "test", "test.context_length": behaviour.most }
    })),
    document("GET", "/api/ps", () => ({
      models: loaded === undefined ? [] : [{ ...named, context_length: Math.min(loaded, behaviour.most) }]
    }))
  )
}

const answer = (dialect: Dialect, asked: Asked, reply: Reply) => {
  const { headers } = reply
  if (reply._tag === "Fail") {
    return HttpServerResponse.jsonUnsafe(
      withMore(dialect.failure(reply.status, reply.message), reply.error),
      {
        status: reply.status,
        ...(headers && { headers })
      }
    )
  }
  if (!asked.stream)
    return HttpServerResponse.jsonUnsafe(dialect.whole(asked, reply), { ...(headers && { headers }) })
  const frames = Stream.fromIterable(dialect.frames(asked, reply))
  return HttpServerResponse.stream(
    (reply._tag === "Hang" ? Stream.concat(frames, Stream.never) : frames).pipe(Stream.encodeText),
    { contentType: dialect.contentType ?? "text/event-stream", ...(headers && { headers }) }
  )
}

/** Each API tells of its errors in an `error`. */
const withMore = (failure: unknown, more: Readonly<Record<string, unknown>> | undefined): unknown => {
  if (more === undefined || !Predicate.hasProperty(failure, "error")) return failure
  const error = Predicate.isObject(failure.error) ? failure.error : { message: failure.error }
  return { ...failure, error: { ...error, ...more } }
}
