import { NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, Stream } from "effect"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { createServer } from "node:http"
import { ChatRequest, type Reply, type Responder } from "./Chat.ts"

/** A model behind OpenAI's chat completions on loopback. What it was asked can be read back. */
export class ModelServer extends Context.Service<
  ModelServer,
  {
    /** Base URL up to and with `/v1`. */
    readonly url: string
    /** Every request, in order; the newest `keep` of them. */
    readonly requests: () => ReadonlyArray<ChatRequest>
  }
>()("@rejoin/model-server/ModelServer") {
  static readonly layer = (
    respond: Responder,
    options: { readonly port?: number; readonly keep?: number } = {}
  ) => {
    const requests: Array<ChatRequest> = []
    const route = HttpRouter.add(
      "POST",
      "/v1/chat/completions",
      Effect.gen(function* () {
        const request = yield* HttpServerRequest.schemaBodyJson(ChatRequest)
        requests.push(request)
        if (requests.length > (options.keep ?? 100)) requests.shift()
        return answer(request, respond(request))
      }).pipe(
        Effect.catchTag("SchemaError", (error) =>
          HttpServerResponse.json(
            { error: { message: error.message, type: "invalid_request_error" } },
            { status: 400 }
          )
        )
      )
    )
    return Layer.effect(
      ModelServer,
      Effect.map(HttpServer.HttpServer, ({ address }) =>
        ModelServer.of({
          url: `http://127.0.0.1:${"port" in address ? address.port : 0}/v1`,
          requests: () => requests
        })
      )
    ).pipe(
      Layer.merge(HttpRouter.serve(route, { disableLogger: true, disableListenLog: true })),
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

const answer = (request: ChatRequest, reply: Reply) => {
  if (reply._tag === "Fail") {
    const error = { message: reply.message, type: "scripted", code: "scripted" }
    return HttpServerResponse.jsonUnsafe({ error }, { status: reply.status })
  }
  if (request.stream !== true) return HttpServerResponse.jsonUnsafe(whole(request, reply))
  const frames = Stream.fromIterable(chunks(request, reply))
  return HttpServerResponse.stream(
    (reply._tag === "Hang" ? Stream.concat(frames, Stream.never) : frames).pipe(Stream.encodeText),
    { contentType: "text/event-stream" }
  )
}

// Four characters a token is the usual guess; nobody is billed by it.
const tokens = (text: string) => Math.ceil(text.length / 4)

const usageOf = (request: ChatRequest, text: string) => {
  const prompt_tokens = tokens(JSON.stringify(request.messages))
  const completion_tokens = tokens(text)
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
}

const textOf = (reply: Reply): string => (reply._tag === "Say" || reply._tag === "Hang" ? reply.text : "")

const call = ({ input, name }: Extract<Reply, { readonly _tag: "Call" }>, request: ChatRequest) => ({
  id: `call_${request.messages.length}`,
  type: "function",
  function: { name, arguments: JSON.stringify(input) }
})

const whole = (request: ChatRequest, reply: Reply) => ({
  id: "chatcmpl-recall",
  object: "chat.completion",
  model: request.model,
  choices: [
    {
      index: 0,
      finish_reason: reply._tag === "Call" ? "tool_calls" : "stop",
      message: {
        role: "assistant",
        content: textOf(reply),
        ...(reply._tag === "Call" && { tool_calls: [call(reply, request)] })
      }
    }
  ],
  usage: usageOf(request, textOf(reply))
})

function* chunks(request: ChatRequest, reply: Reply): Generator<string> {
  const frame = (delta: unknown, finish: string | null, extra = {}) =>
    `data: ${JSON.stringify({
      id: "chatcmpl-recall",
      object: "chat.completion.chunk",
      model: request.model,
      choices: [{ index: 0, delta, finish_reason: finish }],
      ...extra
    })}\n\n`
  yield frame({ role: "assistant", content: "" }, null)
  if (reply._tag === "Say" && reply.reasoning !== undefined)
    yield frame({ reasoning_content: reply.reasoning }, null)
  for (const word of textOf(reply).match(/\S+\s*/g) ?? []) yield frame({ content: word }, null)
  if (reply._tag === "Hang") return
  if (reply._tag === "Call") yield frame({ tool_calls: [{ index: 0, ...call(reply, request) }] }, null)
  yield frame({}, reply._tag === "Call" ? "tool_calls" : "stop")
  const usage = { id: "chatcmpl-recall", object: "chat.completion.chunk", model: request.model, choices: [] }
  yield `data: ${JSON.stringify({ ...usage, usage: usageOf(request, textOf(reply)) })}\n\n`
  yield "data: [DONE]\n\n"
}
