import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import * as E from "../Errors.ts"
import { Item } from "../Item.ts"
import { Receipt } from "../Receipt.ts"
import { Answer, PendingRequest } from "../Request.ts"
import { plain } from "../Text.ts"
import { Thread } from "../Thread.ts"
import { Limit, id, page, paging, thread } from "./Shared.ts"
import { CreateThread, UpdateThread } from "./Requests.ts"

export class ThreadsGroup extends HttpApiGroup.make("threads")
  .add(
    HttpApiEndpoint.post("create", "/threads", {
      payload: CreateThread,
      success: [Thread.pipe(HttpApiSchema.status(201)), Thread],
      error: [
        E.ProviderNotFound,
        E.CapabilityMissing,
        E.CwdNotAllowed,
        E.CwdUnavailable,
        E.InvalidInput,
        E.SessionNotFound,
        E.ProviderFailed,
        E.ProviderTimeout,
        E.ProviderUnavailable,
        E.StoreFailed
      ]
    }).annotate(
      OpenApi.Summary,
      "Open a thread, or find the one with this key, or with this session of the agent's own; starts no session"
    ),
    HttpApiEndpoint.get("list", "/threads", {
      query: { project: Schema.optionalKey(Schema.String), ...paging },
      success: page(Thread),
      error: [E.InvalidInput, E.StoreFailed]
    }).annotate(OpenApi.Summary, "Threads in the order of their creation"),
    HttpApiEndpoint.get("get", "/threads/:id", { params: id, success: Thread, error: thread }).annotate(
      OpenApi.Summary,
      "One thread, as it is now"
    ),
    HttpApiEndpoint.patch("update", "/threads/:id", {
      params: id,
      payload: UpdateThread,
      success: Thread,
      error: [...thread, E.ThreadBusy, E.ProviderNotFound, E.CapabilityMissing]
    }).annotate(OpenApi.Summary, "Title at any time; runtime mode and model between turns"),
    HttpApiEndpoint.delete("remove", "/threads/:id", {
      params: id,
      success: HttpApiSchema.NoContent,
      error: [...thread, E.ThreadBusy]
    }).annotate(OpenApi.Summary, "Forget the thread; the upstream session stays"),
    HttpApiEndpoint.get("items", "/threads/:id/items", {
      params: id,
      query: { before: Schema.optionalKey(Schema.String), limit: Schema.optionalKey(Limit) },
      success: page(Item),
      error: [...thread, E.InvalidInput]
    }).annotate(OpenApi.Summary, "The conversation: the last items before `before`, oldest first"),
    HttpApiEndpoint.get("events", "/threads/:id/events", {
      params: id,
      success: HttpApiSchema.StreamUint8Array({ contentType: "text/event-stream" }),
      error: [...thread, E.InvalidInput]
    }).annotate(
      OpenApi.Summary,
      "Server-sent events of one thread: a snapshot first, or what came after the header Last-Event-ID (a seq)"
    ),
    HttpApiEndpoint.get("allEvents", "/events", {
      success: HttpApiSchema.StreamUint8Array({ contentType: "text/event-stream" }),
      error: [E.InvalidInput, E.StoreFailed]
    }).annotate(OpenApi.Summary, "Server-sent events of all threads, by position"),
    HttpApiEndpoint.get("requests", "/threads/:id/requests", {
      params: id,
      success: page(PendingRequest),
      error: thread
    }).annotate(OpenApi.Summary, "Approvals and questions that wait for an answer"),
    HttpApiEndpoint.post("answer", "/threads/:id/requests/:requestId", {
      params: { ...id, requestId: Schema.String },
      payload: Answer,
      success: HttpApiSchema.NoContent,
      error: [
        ...thread,
        E.RequestNotFound,
        E.RequestAnswered,
        E.InvalidInput,
        E.ProviderFailed,
        E.ProviderTimeout,
        E.ProviderUnavailable
      ]
    }).annotate(OpenApi.Summary, "Accept, decline or cancel an approval, or answer a question"),
    HttpApiEndpoint.get("export", "/threads/:id/export", {
      params: id,
      query: {
        /** It goes on elsewhere: here it is refused from now on, until it is claimed. */
        move: Schema.optionalKey(Schema.Literals(["true", "false"])),
        /** Where to, in words for whoever looks for it here. */
        to: Schema.optionalKey(plain(200).check(Schema.isNonEmpty()))
      },
      success: HttpApiSchema.StreamUint8Array({ contentType: "application/x-ndjson" }),
      error: [...thread, E.ThreadBusy, E.StartInProgress, E.InvalidInput, E.SessionHeldElsewhere]
    }).annotate(OpenApi.Summary, "The whole thread with the agent's own record, a JSON document a line"),
    HttpApiEndpoint.post("import", "/threads/import", {
      query: {
        /** Where it goes on; by default where it was. */
        cwd: Schema.optionalKey(Schema.NonEmptyString),
        /** Which of the agents here it goes on with; by default the one of its name. */
        provider: Schema.optionalKey(Schema.NonEmptyString)
      },
      // Whatever a program that uploads a file calls it.
      payload: HttpApiSchema.StreamUint8Array({
        contentType: [
          "application/x-ndjson",
          "application/octet-stream",
          "application/json",
          "application/x-www-form-urlencoded"
        ]
      }),
      success: Thread.pipe(HttpApiSchema.status(201)),
      error: [
        E.InvalidBundle,
        E.ThreadExists,
        E.ThreadBusy,
        E.StartInProgress,
        E.ProviderNotFound,
        E.CwdNotAllowed,
        E.CwdUnavailable,
        E.InvalidInput,
        E.StoreFailed
      ]
    }).annotate(
      OpenApi.Summary,
      "A thread that was exported, under its id; checked whole before anything is kept"
    ),
    HttpApiEndpoint.get("receipts", "/threads/:id/receipts", {
      params: id,
      query: paging,
      success: page(Receipt),
      error: [...thread, E.InvalidInput]
    }).annotate(OpenApi.Summary, "What each start did and what was verified, newest first")
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Threads", description: "Durable conversations with an agent." })
  ) {}
