import { NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, Stream } from "effect"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"
import { chatCompletions } from "./ChatCompletions.ts"
import type { Asked, Dialect } from "./Dialect.ts"
import { messages } from "./Messages.ts"
import type { Conversation, Reply, Responder } from "./Model.ts"
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
    options: { readonly port?: number; readonly keep?: number } = {}
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
          const asked = yield* dialect.read(yield* request.json)
          if (asked.aside) return answer(dialect, asked, { _tag: "Say", text: "ok" })
          return answer(dialect, asked, respond(conversationOf(dialect.path, asked)))
        }).pipe(
          Effect.catchTag("SchemaError", (error) =>
            HttpServerResponse.json(dialect.failure(400, error.message), { status: 400 })
          )
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
        HttpRouter.serve(Layer.mergeAll(route(chatCompletions), route(responses), route(messages)), {
          disableLogger: true,
          disableListenLog: true
        })
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

const answer = (dialect: Dialect, asked: Asked, reply: Reply) => {
  if (reply._tag === "Fail") {
    return HttpServerResponse.jsonUnsafe(dialect.failure(reply.status, reply.message), {
      status: reply.status
    })
  }
  if (!asked.stream) return HttpServerResponse.jsonUnsafe(dialect.whole(asked, reply))
  const frames = Stream.fromIterable(dialect.frames(asked, reply))
  return HttpServerResponse.stream(
    (reply._tag === "Hang" ? Stream.concat(frames, Stream.never) : frames).pipe(Stream.encodeText),
    { contentType: "text/event-stream" }
  )
}
