import { Api } from "@rejoin/contracts/Api"
import { Authorization } from "@rejoin/contracts/api/Guards"
import { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { ThreadSnapshot } from "@rejoin/contracts/Snapshot"
import { Effect, Layer, Option, Redacted, Result, Schema, Stream } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { HttpApiClient, HttpApiMiddleware } from "effect/http-api"
import { sseFrames } from "./ServerSentEvents.ts"

export interface ClientOptions {
  /** As `server.json` has it: `http://127.0.0.1:4319`. */
  readonly url: string
  readonly token: Redacted.Redacted
}

const decodeSnapshot = Schema.decodeUnknownEffect(Schema.fromJsonString(ThreadSnapshot))
const decodeEvent = Schema.decodeUnknownResult(Schema.fromJsonString(RuntimeEvent))

const httpApi = ({ token, url }: ClientOptions) =>
  HttpApiClient.make(Api, { baseUrl: url }).pipe(
    Effect.provide(
      Layer.merge(
        FetchHttpClient.layer,
        HttpApiMiddleware.layerClient(Authorization, ({ next, request }) =>
          next(HttpClientRequest.bearerToken(request, token))
        )
      )
    )
  )

export type RejoinApi = Effect.Success<ReturnType<typeof httpApi>>

export interface RejoinClient extends RejoinApi {
  /**
   * The events of a thread after `after` (a seq), without end; those of all threads where none is given, by
   * position. Ends, or fails, where the connection does: go on with the last event's number.
   */
  readonly follow: (
    threadId: string | undefined,
    after: number
  ) => Stream.Stream<RuntimeEvent, HttpClientError>
  /** The thread as it is, and which events are in that. */
  readonly snapshot: (threadId: string) => Effect.Effect<ThreadSnapshot, HttpClientError | Schema.SchemaError>
  /** The position of the last event of all threads: what comes after it is new. */
  readonly position: Effect.Effect<number, HttpClientError>
}

type HttpClientError = Effect.Error<ReturnType<HttpClient.HttpClient["execute"]>>

/** The typed client of a Rejoin server: every endpoint with its errors, and its events as a stream. */
export const make = Effect.fn("RejoinClient.make")(function* (options: ClientOptions) {
  const api = yield* httpApi(options)
  const frames = (threadId: string | undefined, after: number | undefined) => {
    const path =
      threadId === undefined ? "/api/events" : `/api/threads/${encodeURIComponent(threadId)}/events`
    const request = HttpClientRequest.get(`${options.url}${path}`).pipe(
      HttpClientRequest.bearerToken(options.token)
    )
    return HttpClient.execute(
      after === undefined ? request : HttpClientRequest.setHeader(request, "Last-Event-ID", String(after))
    ).pipe(
      Effect.flatMap(HttpClientResponse.filterStatusOk),
      HttpClientResponse.stream,
      Stream.decodeText(),
      sseFrames,
      Stream.provide(FetchHttpClient.layer)
    )
  }
  const follow: RejoinClient["follow"] = (threadId, after) =>
    frames(threadId, after).pipe(
      Stream.map(({ data }) => decodeEvent(data)),
      Stream.filter(Result.isSuccess),
      Stream.map(({ success }) => success)
    )
  // Who names no event is told first where things stand.
  const position = frames(undefined, undefined).pipe(
    Stream.runHead,
    Effect.map((frame) => (Option.isSome(frame) ? Number(frame.value.id ?? 0) : 0))
  )
  const snapshot: RejoinClient["snapshot"] = (threadId) =>
    frames(threadId, undefined).pipe(
      Stream.runHead,
      Effect.flatMap((frame) =>
        decodeSnapshot(Option.match(frame, { onNone: () => "", onSome: ({ data }) => data }))
      )
    )
  const client: RejoinClient = { ...api, follow, snapshot, position }
  return client
})
