import { UpstreamId } from "@rejoin/core/providers/AdapterEvent"
import { Schema } from "effect"

// The messages of the app-server, as far as we use them (`codex app-server generate-ts` prints all of them).

const optional = Schema.optional
const nullable = <S extends Schema.Top>(schema: S) => optional(Schema.NullOr(schema))

const Sandbox = Schema.Struct({ type: Schema.String, networkAccess: optional(Schema.Unknown) })

const powers = {
  approvalPolicy: Schema.Unknown,
  approvalsReviewer: nullable(Schema.String),
  activePermissionProfile: nullable(Schema.Struct({ id: Schema.String }))
}

/** What a thread may do, as it is told with it. */
export const Powers = Schema.Struct({ ...powers, sandbox: Sandbox })
export type Powers = typeof Powers.Type

export const Initialized = Schema.Struct({ userAgent: Schema.String, codexHome: Schema.String })

const Thread = Schema.Struct({
  id: Schema.String,
  cwd: Schema.String,
  cliVersion: optional(Schema.String),
  forkedFromId: nullable(Schema.String),
  path: nullable(Schema.String)
})

/** Of a start, a resume and a fork: everything in force, read back. */
export const Opened = Schema.Struct({
  thread: Thread,
  model: optional(Schema.String),
  cwd: Schema.String,
  runtimeWorkspaceRoots: optional(Schema.Array(Schema.String)),
  ...powers,
  sandbox: Sandbox
})
export type Opened = typeof Opened.Type

export const ReadThread = Schema.Struct({ thread: Thread })
export const StartedTurn = Schema.Struct({ turn: Schema.Struct({ id: Schema.String }) })
export const Configured = Schema.Struct({
  config: Schema.Struct({ mcp_servers: nullable(Schema.Record(Schema.String, Schema.Unknown)) })
})
export const Unsubscribed = Schema.Struct({ status: Schema.String })
export const Terminals = Schema.Struct({ data: Schema.Array(Schema.Unknown) })
export const Account = Schema.Struct({
  account: Schema.NullOr(Schema.Unknown),
  requiresOpenaiAuth: optional(Schema.Boolean)
})

export const SettingsUpdated = Schema.Struct({
  threadId: Schema.String,
  threadSettings: Schema.Struct({
    cwd: Schema.String,
    ...powers,
    sandboxPolicy: Sandbox,
    model: optional(Schema.String)
  })
})

const change = Schema.Struct({
  path: Schema.String,
  diff: Schema.String,
  kind: optional(Schema.Struct({ type: Schema.String, move_path: nullable(Schema.String) }))
})
export type Change = typeof change.Type

const id = { id: UpstreamId }
const status = { status: optional(Schema.String) }
export const Item = Schema.Union([
  Schema.Struct({ type: Schema.Literal("userMessage"), ...id, clientId: nullable(Schema.String) }),
  Schema.Struct({ type: Schema.Literal("agentMessage"), ...id, text: Schema.String }),
  Schema.Struct({ type: Schema.Literal("plan"), ...id, text: Schema.String }),
  Schema.Struct({
    type: Schema.Literal("reasoning"),
    ...id,
    summary: Schema.Array(Schema.String),
    content: Schema.Array(Schema.String)
  }),
  Schema.Struct({
    type: Schema.Literal("commandExecution"),
    ...id,
    ...status,
    command: Schema.String,
    cwd: Schema.String,
    aggregatedOutput: nullable(Schema.String),
    exitCode: nullable(Schema.Finite)
  }),
  Schema.Struct({ type: Schema.Literal("fileChange"), ...id, ...status, changes: Schema.Array(change) }),
  Schema.Struct({
    type: Schema.Literals(["mcpToolCall", "dynamicToolCall"]),
    ...id,
    ...status,
    tool: Schema.String,
    arguments: optional(Schema.Unknown),
    result: optional(Schema.Unknown)
  }),
  Schema.Struct({ type: Schema.Literal("webSearch"), ...id, query: Schema.String })
])
export type Item = typeof Item.Type

const at = { threadId: Schema.String, turnId: UpstreamId }
const TurnError = Schema.Struct({ message: Schema.String, codexErrorInfo: optional(Schema.Unknown) })
export type TurnError = typeof TurnError.Type

const notification = <const Method extends string, S extends Schema.Top>(method: Method, params: S) =>
  Schema.Struct({ method: Schema.Literal(method), params })

const delta = Schema.Struct({ ...at, itemId: UpstreamId, delta: Schema.String })
const item = Schema.Struct({ ...at, item: Item })
const turn = Schema.Struct({
  threadId: Schema.String,
  turn: Schema.Struct({ id: Schema.String, status: Schema.String, error: nullable(TurnError) })
})
const tokens = Schema.Struct({
  inputTokens: Schema.Finite,
  outputTokens: Schema.Finite
})

const window = nullable(
  Schema.Struct({
    /** In percent. */
    usedPercent: Schema.Finite,
    windowDurationMins: nullable(Schema.Finite),
    /** In seconds since the epoch. */
    resetsAt: nullable(Schema.Finite)
  })
)
export const RateLimits = Schema.Struct({
  limitId: nullable(Schema.String),
  primary: window,
  secondary: window
})
export type RateLimits = typeof RateLimits.Type

/** Of the account, and so of no thread. */
const RateLimitsUpdated = notification(
  "account/rateLimits/updated",
  Schema.Struct({ rateLimits: RateLimits })
)
export const decodeRateLimits = Schema.decodeUnknownOption(RateLimitsUpdated)

export const Notification = Schema.Union([
  notification("item/agentMessage/delta", delta),
  notification("item/reasoning/summaryTextDelta", delta),
  notification("item/reasoning/textDelta", delta),
  notification("item/commandExecution/outputDelta", delta),
  notification("item/started", item),
  notification("item/completed", item),
  notification("turn/started", turn),
  notification("turn/completed", turn),
  notification("thread/settings/updated", SettingsUpdated),
  notification(
    "thread/status/changed",
    Schema.Struct({ threadId: Schema.String, status: Schema.Struct({ type: Schema.String }) })
  ),
  notification(
    "thread/tokenUsage/updated",
    Schema.Struct({ ...at, tokenUsage: Schema.Struct({ last: tokens }) })
  ),
  notification("thread/closed", Schema.Struct({ threadId: Schema.String })),
  notification("thread/deleted", Schema.Struct({ threadId: Schema.String })),
  notification(
    "serverRequest/resolved",
    Schema.Struct({ threadId: Schema.String, requestId: Schema.Union([Schema.Finite, Schema.String]) })
  ),
  notification("error", Schema.Struct({ ...at, willRetry: Schema.Boolean, error: TurnError }))
])
export type Notification = typeof Notification.Type
export const decodeNotification = Schema.decodeUnknownOption(Notification)

const RequestId = Schema.Union([Schema.Finite, Schema.String])
export type RequestId = typeof RequestId.Type
const request = <const Method extends string, S extends Schema.Top>(method: Method, params: S) =>
  Schema.Struct({ id: RequestId, method: Schema.Literal(method), params })
const asked = { ...at, itemId: UpstreamId }

/** What the server asks us. */
export const ServerRequest = Schema.Union([
  request(
    "item/commandExecution/requestApproval",
    Schema.Struct({
      ...asked,
      command: nullable(Schema.String),
      cwd: nullable(Schema.String),
      reason: nullable(Schema.String),
      networkApprovalContext: optional(Schema.Unknown),
      additionalPermissions: optional(Schema.Unknown)
    })
  ),
  request(
    "item/fileChange/requestApproval",
    Schema.Struct({ ...asked, reason: nullable(Schema.String), grantRoot: nullable(Schema.String) })
  ),
  request(
    "item/permissions/requestApproval",
    Schema.Struct({ ...asked, reason: nullable(Schema.String), permissions: Schema.Unknown })
  ),
  request(
    "item/tool/requestUserInput",
    Schema.Struct({
      ...asked,
      questions: Schema.Array(
        Schema.Struct({
          id: Schema.String,
          header: optional(Schema.String),
          question: Schema.String,
          options: nullable(
            Schema.Array(Schema.Struct({ label: Schema.String, description: optional(Schema.String) }))
          )
        })
      )
    })
  )
])
export type ServerRequest = typeof ServerRequest.Type
export const decodeServerRequest = Schema.decodeUnknownOption(ServerRequest)

/** Any message, before it is known which. */
export const Envelope = Schema.Struct({
  id: optional(RequestId),
  method: optional(Schema.String),
  params: optional(Schema.Unknown),
  result: optional(Schema.Unknown),
  error: optional(
    Schema.Struct({ code: Schema.Finite, message: Schema.String, data: optional(Schema.Unknown) })
  )
})
export const decodeEnvelope = Schema.decodeUnknownOption(Envelope)
