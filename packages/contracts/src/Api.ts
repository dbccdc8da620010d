import { Schema } from "effect"
import {
  HttpApi,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpApiMiddleware,
  HttpApiSchema,
  HttpApiSecurity,
  OpenApi
} from "effect/http-api"
import { Directory, Worktree } from "./Directory.ts"
import * as E from "./Errors.ts"
import { Item } from "./Item.ts"
import { ProviderInstanceId } from "./Ids.ts"
import { ProviderInfo } from "./Provider.ts"
import { Receipt } from "./Receipt.ts"
import { Answer, PendingRequest } from "./Request.ts"
import { RuntimeMode } from "./RuntimeMode.ts"
import { TerminalCommand } from "./Terminal.ts"
import { SystemPrompt, Thread, ThreadKey } from "./Thread.ts"
import { Timestamp } from "./Time.ts"
import { Attachment, Delivery, Turn } from "./Turn.ts"

export class Authorization extends HttpApiMiddleware.Service<Authorization>()(
  "@rejoin/contracts/Authorization",
  {
    requiredForClient: true,
    security: { bearer: HttpApiSecurity.bearer },
    error: [E.Unauthorized, E.TooManyRequests]
  }
) {}

/** Every rejection of a malformed request is an InvalidInput that names the field. */
export class SchemaErrors extends HttpApiMiddleware.Service<SchemaErrors>()(
  "@rejoin/contracts/SchemaErrors",
  {
    error: [E.InvalidInput, E.PayloadTooLarge]
  }
) {}

const page = <S extends Schema.Top>(item: S) =>
  Schema.Struct({ items: Schema.Array(item), next: Schema.optionalKey(Schema.String) })

const Limit = Schema.FiniteFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 500 }))
const paging = { after: Schema.optionalKey(Schema.String), limit: Schema.optionalKey(Limit) }

export const CreateThread = Schema.Struct({
  provider: ProviderInstanceId,
  cwd: Schema.NonEmptyString,
  runtimeMode: Schema.optionalKey(RuntimeMode),
  model: Schema.optionalKey(Schema.NonEmptyString),
  systemPrompt: Schema.optionalKey(SystemPrompt),
  title: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(500))),
  project: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(500))),
  key: Schema.optionalKey(ThreadKey),
  extraEnv: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  additionalDirectories: Schema.optionalKey(Schema.Array(Schema.NonEmptyString))
})
export type CreateThread = typeof CreateThread.Type

export const UpdateThread = Schema.Struct({
  title: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(500))),
  runtimeMode: Schema.optionalKey(RuntimeMode),
  model: Schema.optionalKey(Schema.NonEmptyString)
})
export type UpdateThread = typeof UpdateThread.Type

export const SendTurn = Schema.Struct({
  input: Schema.NonEmptyString,
  attachments: Schema.optionalKey(Schema.Array(Attachment)),
  delivery: Schema.optionalKey(Delivery),
  idempotencyKey: Schema.optionalKey(Schema.NonEmptyString.check(Schema.isMaxLength(200)))
})
export type SendTurn = typeof SendTurn.Type

/** What a change of a session can fail with beyond what the endpoint itself can. */
const startFailures = [
  E.CapabilityMissing,
  E.CwdUnavailable,
  E.DirectoryMismatch,
  E.HistoryMismatch,
  E.PermissionMismatch,
  E.ProbeInconclusive,
  E.ProviderFailed,
  E.ProviderTimeout,
  E.ProviderUnavailable,
  E.RelocationUnsupported,
  E.SessionHeldElsewhere,
  E.StaleGeneration,
  E.UpstreamCorrupt,
  E.UpstreamLost,
  E.WrongStore
] as const

const id = { id: Schema.String }
const thread = [E.ThreadNotFound, E.StoreFailed] as const

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
        E.StoreFailed
      ]
    }).annotate(OpenApi.Summary, "Open a thread, or find the one with this key; starts no session"),
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
        E.InvalidInput,
        E.ProviderFailed,
        E.ProviderTimeout,
        E.ProviderUnavailable
      ]
    }).annotate(OpenApi.Summary, "Accept, decline or cancel an approval, or answer a question"),
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

export class TurnsGroup extends HttpApiGroup.make("turns")
  .add(
    HttpApiEndpoint.post("send", "/threads/:id/turns", {
      params: id,
      payload: SendTurn,
      success: Turn.pipe(HttpApiSchema.status(202)),
      error: [
        ...thread,
        E.IdempotencyConflict,
        E.ProviderNotFound,
        E.CapabilityMissing,
        E.DirectoryMismatch,
        E.PermissionMismatch,
        E.ProviderFailed,
        E.ProviderTimeout,
        E.ProviderUnavailable
      ]
    }).annotate(OpenApi.Summary, "Send a turn: durable when answered, run at most once"),
    HttpApiEndpoint.get("list", "/threads/:id/turns", {
      params: id,
      query: paging,
      success: page(Turn),
      error: [...thread, E.InvalidInput]
    }).annotate(OpenApi.Summary, "Turns, oldest first"),
    HttpApiEndpoint.get("get", "/threads/:id/turns/:turnId", {
      params: { ...id, turnId: Schema.String },
      query: {
        wait: Schema.optionalKey(
          Schema.FiniteFromString.check(Schema.isBetween({ minimum: 0, maximum: 600 }))
        )
      },
      success: Turn,
      error: [...thread, E.TurnNotFound]
    }).annotate(
      OpenApi.Summary,
      "One turn; `wait` holds the answer until it settles, for so many seconds (600 at most)"
    ),
    HttpApiEndpoint.post("interrupt", "/threads/:id/turns/:turnId/interrupt", {
      params: { ...id, turnId: Schema.String },
      success: HttpApiSchema.NoContent,
      error: [
        ...thread,
        E.TurnNotFound,
        E.CapabilityMissing,
        E.ProviderFailed,
        E.ProviderTimeout,
        E.ProviderUnavailable
      ]
    }).annotate(OpenApi.Summary, "End this turn and no other: one that waits is withdrawn")
  )
  .annotateMerge(OpenApi.annotations({ title: "Turns", description: "One input until it settles." })) {}

export class SessionsGroup extends HttpApiGroup.make("sessions")
  .add(
    HttpApiEndpoint.post("interrupt", "/threads/:id/interrupt", {
      params: id,
      success: HttpApiSchema.NoContent,
      error: [...thread, E.CapabilityMissing, E.ProviderFailed, E.ProviderTimeout, E.ProviderUnavailable]
    }).annotate(OpenApi.Summary, "End the running turn, or the start that it waits for"),
    HttpApiEndpoint.post("stop", "/threads/:id/stop", {
      params: id,
      success: HttpApiSchema.NoContent,
      error: [...thread, E.SessionNotRunning]
    }).annotate(OpenApi.Summary, "End the session and the turns that wait for it; the binding stays"),
    HttpApiEndpoint.post("reset", "/threads/:id/reset", {
      params: id,
      success: Thread,
      error: [...thread, E.ThreadBusy]
    }).annotate(OpenApi.Summary, "Let the next turn start anew; the old session stays in the lineage"),
    HttpApiEndpoint.post("move", "/threads/:id/move", {
      params: id,
      payload: Schema.Struct({ cwd: Schema.NonEmptyString }),
      success: Receipt,
      error: [
        ...thread,
        E.ThreadBusy,
        E.StartInProgress,
        E.CwdNotAllowed,
        E.ProviderNotFound,
        ...startFailures
      ]
    }).annotate(OpenApi.Summary, "Carry the conversation into another directory, now"),
    HttpApiEndpoint.post("fork", "/threads/:id/fork", {
      params: id,
      payload: Schema.Struct({
        turnId: Schema.optionalKey(Schema.NonEmptyString),
        cwd: Schema.optionalKey(Schema.NonEmptyString)
      }),
      success: Thread.pipe(HttpApiSchema.status(201)),
      error: [
        ...thread,
        E.TurnNotFound,
        E.ThreadBusy,
        E.StartInProgress,
        E.CwdNotAllowed,
        E.ProviderNotFound,
        E.InvalidInput,
        ...startFailures
      ]
    }).annotate(
      OpenApi.Summary,
      "A new thread that goes on from this conversation, as it is now or as it was after a turn"
    ),
    HttpApiEndpoint.post("release", "/threads/:id/release", {
      params: id,
      payload: Schema.Struct({
        /** Options of the agent's own command; those that would choose another session are left out. */
        flags: Schema.optionalKey(Schema.Array(Schema.String))
      }),
      success: TerminalCommand,
      error: [
        ...thread,
        E.ThreadBusy,
        E.StartInProgress,
        E.ProviderNotFound,
        E.InvalidInput,
        ...startFailures
      ]
    }).annotate(
      OpenApi.Summary,
      "Hand the session to the user's own terminal: checked, ended here, and how the agent's own interface opens it"
    ),
    HttpApiEndpoint.post("claim", "/threads/:id/claim", {
      params: id,
      success: Receipt,
      error: [...thread, E.ThreadBusy, E.StartInProgress, E.ProviderNotFound, ...startFailures]
    }).annotate(
      OpenApi.Summary,
      "Take the session back from the terminal, in whichever one it went on; refused while the agent runs there"
    )
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Sessions", description: "The live connection of a thread." })
  ) {}

export class ProvidersGroup extends HttpApiGroup.make("providers")
  .add(
    HttpApiEndpoint.get("list", "/providers", { success: page(ProviderInfo), error: E.StoreFailed }).annotate(
      OpenApi.Summary,
      "The configured agents: found where, which version, usable or why not"
    )
  )
  .annotateMerge(OpenApi.annotations({ title: "Providers", description: "The configured agents." })) {}

export class DirectoriesGroup extends HttpApiGroup.make("directories")
  .add(
    HttpApiEndpoint.get("look", "/directories", {
      query: { path: Schema.optionalKey(Schema.NonEmptyString) },
      success: Directory,
      error: [E.CwdNotAllowed, E.CwdUnavailable]
    }).annotate(OpenApi.Summary, "A directory in which threads may work; without a path, the server's own"),
    HttpApiEndpoint.post("addWorktree", "/directories/worktrees", {
      payload: Schema.Struct({
        /** Within the repository. */
        repository: Schema.NonEmptyString,
        /** Where it is to be; nothing may be there. */
        path: Schema.NonEmptyString,
        /** A new one, from what is checked out in the repository. */
        branch: Schema.NonEmptyString.check(
          Schema.isPattern(/^[\w.][\w./-]*$/, {
            message: "A branch's name has letters, digits and . _ / - only, and begins with neither / nor -."
          }),
          Schema.isMaxLength(200)
        )
      }),
      success: Worktree.pipe(HttpApiSchema.status(201)),
      error: [E.CwdNotAllowed, E.CwdUnavailable, E.InvalidInput]
    }).annotate(OpenApi.Summary, "A new worktree on a new branch; no hook of the repository is run")
  )
  .annotateMerge(OpenApi.annotations({ title: "Directories", description: "For choosing one." })) {}

export class HealthGroup extends HttpApiGroup.make("health")
  .add(
    HttpApiEndpoint.get("health", "/health", {
      success: Schema.Struct({ status: Schema.Literal("ok"), version: Schema.String })
    }).annotate(OpenApi.Summary, "Alive, and which version")
  )
  .annotateMerge(OpenApi.annotations({ title: "Health", description: "Without a token." })) {}

/** Good once, for an hour: in the fragment of a link to the page, which no server and no log ever sees. */
export const AccessCode = Schema.Struct({
  code: Schema.String,
  /** The page, with the code in its fragment. */
  link: Schema.String,
  expiresAt: Timestamp
})

export class AccessGroup extends HttpApiGroup.make("access")
  .add(
    HttpApiEndpoint.post("issue", "/codes", { success: AccessCode })
      .middleware(Authorization)
      .annotate(OpenApi.Summary, "A code for a link to the page: `/#code=…`"),
    HttpApiEndpoint.post("redeem", "/codes/redeem", {
      payload: Schema.Struct({ code: Schema.NonEmptyString.check(Schema.isMaxLength(100)) }),
      success: Schema.Struct({ token: Schema.String }),
      error: [E.Unauthorized, E.TooManyRequests]
    }).annotate(OpenApi.Summary, "The token, for a code that was not used yet. Takes no token")
  )
  .annotateMerge(OpenApi.annotations({ title: "Access", description: "How the page gets the token." })) {}

export class MetricsGroup extends HttpApiGroup.make("metrics")
  .add(
    HttpApiEndpoint.get("metrics", "/metrics", {
      success: Schema.String.pipe(
        HttpApiSchema.asText({ contentType: "text/plain; version=0.0.4; charset=utf-8" })
      )
    }).annotate(OpenApi.Summary, "Metrics for Prometheus")
  )
  .annotateMerge(OpenApi.annotations({ title: "Metrics", description: "For Prometheus." })) {}

/** The whole surface over HTTP. All but `/health` takes a bearer token. */
export class Api extends HttpApi.make("rejoin")
  .add(ThreadsGroup.middleware(Authorization).middleware(SchemaErrors))
  .add(TurnsGroup.middleware(Authorization).middleware(SchemaErrors))
  .add(SessionsGroup.middleware(Authorization).middleware(SchemaErrors))
  .add(ProvidersGroup.middleware(Authorization).middleware(SchemaErrors))
  .add(DirectoriesGroup.middleware(Authorization).middleware(SchemaErrors))
  .add(AccessGroup.middleware(SchemaErrors))
  .add(MetricsGroup.middleware(Authorization))
  .add(HealthGroup)
  .prefix("/api")
  // A field that is not known is an error: a mistyped mode or idempotency key must not pass for none.
  .annotate(HttpApi.PayloadParseOptions, { onExcessProperty: "error" })
  .annotate(HttpApi.QueryParseOptions, { onExcessProperty: "error" })
  .annotateMerge(
    OpenApi.annotations({
      title: "Rejoin",
      version: "0.1.0",
      description:
        "A follow-up always reaches the same conversation, in the right directory, with the right permissions."
    })
  ) {}
