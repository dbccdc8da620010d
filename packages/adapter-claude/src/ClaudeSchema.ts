import { UpstreamId } from "@rejoin/core/providers/AdapterEvent"
import { Schema } from "effect"

// The frames of stream-json, as far as we use them. What is not here is passed over.

const optional = Schema.optional
const Strings = Schema.Array(Schema.String)

export const HookInput = Schema.Struct({
  hook_event_name: Schema.String,
  session_id: Schema.String,
  cwd: Schema.String,
  permission_mode: optional(Schema.String),
  tool_name: optional(Schema.String),
  tool_input: optional(Schema.Unknown),
  /** Of a sub-agent. */
  agent_id: optional(Schema.String)
})
export type HookInput = typeof HookInput.Type

export const HookCallback = Schema.Struct({
  subtype: Schema.Literal("hook_callback"),
  callback_id: Schema.String,
  input: HookInput
})

export const CanUseTool = Schema.Struct({
  subtype: Schema.Literal("can_use_tool"),
  tool_name: Schema.String,
  input: Schema.Record(Schema.String, Schema.Unknown),
  tool_use_id: Schema.String,
  description: optional(Schema.String)
})
export type CanUseTool = typeof CanUseTool.Type

const ControlRequest = Schema.Struct({
  type: Schema.Literal("control_request"),
  request_id: Schema.String,
  request: Schema.Union([HookCallback, CanUseTool])
})

/** A request of whatever kind: what we do not know is refused, and never left without an answer. */
export const decodeAsked = Schema.decodeUnknownOption(
  Schema.Struct({
    type: Schema.Literal("control_request"),
    request_id: Schema.String,
    request: Schema.Struct({ subtype: Schema.String })
  })
)

const ControlCancel = Schema.Struct({
  type: Schema.Literal("control_cancel_request"),
  request_id: Schema.String
})

export const ControlResponse = Schema.Struct({
  type: Schema.Literal("control_response"),
  response: Schema.Union([
    Schema.Struct({
      subtype: Schema.Literal("success"),
      request_id: Schema.String,
      response: optional(Schema.Unknown)
    }),
    Schema.Struct({
      subtype: Schema.Literal("error"),
      request_id: Schema.String,
      error: Schema.String,
      error_code: optional(Schema.String)
    })
  ])
})

const Lifecycle = Schema.Struct({
  type: Schema.Literal("command_lifecycle"),
  command_uuid: Schema.String,
  state: Schema.String
})

const Init = Schema.Struct({
  type: Schema.Literal("system"),
  subtype: Schema.Literal("init"),
  session_id: Schema.String,
  original_cwd: optional(Schema.String),
  permissionMode: optional(Schema.String),
  model: optional(Schema.String)
})

/** Told when a model is asked: these messages are in what it is sent. */
const Status = Schema.Struct({
  type: Schema.Literal("system"),
  subtype: Schema.Literal("status"),
  status: Schema.NullOr(Schema.String),
  user_message_uuids: optional(Strings)
})

const StateChanged = Schema.Struct({
  type: Schema.Literal("system"),
  subtype: Schema.Literal("session_state_changed"),
  state: Schema.String
})

const Retry = Schema.Struct({
  type: Schema.Literal("system"),
  subtype: Schema.Literal("api_retry"),
  attempt: Schema.Finite,
  retry_delay_ms: optional(Schema.Finite),
  error_status: optional(Schema.NullOr(Schema.Finite)),
  error: optional(Schema.String)
})

const WritesLost = Schema.Struct({
  type: Schema.Literal("system"),
  subtype: Schema.Literal("session_writes_lost")
})

/** Always the full list: empty when nothing works in the background any more. */
const BackgroundTasks = Schema.Struct({
  type: Schema.Literal("system"),
  subtype: Schema.Literal("background_tasks_changed"),
  tasks: Schema.Array(Schema.Unknown)
})

const TextBlock = Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })
const ThinkingBlock = Schema.Struct({ type: Schema.Literal("thinking"), thinking: Schema.String })
export const ToolUse = Schema.Struct({
  type: Schema.Literal("tool_use"),
  id: UpstreamId,
  name: Schema.String,
  input: Schema.Record(Schema.String, Schema.Unknown)
})
export type ToolUse = typeof ToolUse.Type
export const ToolResult = Schema.Struct({
  type: Schema.Literal("tool_result"),
  tool_use_id: Schema.String,
  content: optional(Schema.Unknown),
  is_error: optional(Schema.Boolean)
})
export type ToolResult = typeof ToolResult.Type
const OtherBlock = Schema.Struct({ type: Schema.String })
const Blocks = Schema.Array(Schema.Union([TextBlock, ThinkingBlock, ToolUse, ToolResult, OtherBlock]))

const parent = { parent_tool_use_id: optional(Schema.NullOr(Schema.String)) }

const User = Schema.Struct({
  type: Schema.Literal("user"),
  ...parent,
  message: Schema.Struct({ content: Schema.Union([Schema.String, Blocks]) }),
  tool_use_result: optional(Schema.Unknown)
})

/** Its own names for windows and states are passed through from the API: any can come. Seconds since the epoch. */
const LimitInfo = Schema.Struct({
  resetsAt: optional(Schema.Finite),
  rateLimitType: optional(Schema.String),
  utilization: optional(Schema.Finite),
  unifiedWindows: optional(
    Schema.Record(
      Schema.String,
      Schema.Struct({ utilization: optional(Schema.Finite), resetsAt: optional(Schema.Finite) })
    )
  )
})
export type LimitInfo = typeof LimitInfo.Type

/** Told when it has changed, by a login with a subscription. */
const LimitEvent = Schema.Struct({
  type: Schema.Literal("rate_limit_event"),
  rate_limit_info: LimitInfo
})

const Assistant = Schema.Struct({
  type: Schema.Literal("assistant"),
  ...parent,
  /** Of what Claude says in the model's place: the limit that it met. */
  api_error: optional(Schema.Unknown),
  api_error_params: optional(Schema.Struct({ rate_limit_info: optional(LimitInfo) })),
  message: Schema.Struct({ model: optional(Schema.String), content: Blocks })
})

const Delta = Schema.Struct({
  type: Schema.String,
  text: optional(Schema.String),
  thinking: optional(Schema.String)
})

const StreamEvent = Schema.Struct({
  type: Schema.Literal("stream_event"),
  ...parent,
  event: Schema.Union([
    Schema.Struct({
      type: Schema.Literal("content_block_start"),
      index: Schema.Finite,
      content_block: Schema.Struct({ type: Schema.String })
    }),
    Schema.Struct({ type: Schema.Literal("content_block_delta"), index: Schema.Finite, delta: Delta }),
    Schema.Struct({ type: Schema.Literal("content_block_stop"), index: Schema.Finite }),
    Schema.Struct({ type: Schema.Literals(["message_start", "message_stop"]) })
  ])
})

/**
 * The end of a turn. Everything else in it is looked at one by one (ClaudeResult.ts): a field that is odd must not
 * hide that the turn has ended.
 */
export const Result = Schema.StructWithRest(Schema.Struct({ type: Schema.Literal("result") }), [
  Schema.Record(Schema.String, Schema.Unknown)
])
export type Result = typeof Result.Type

export const Frame = Schema.Union([
  StreamEvent,
  ControlRequest,
  ControlCancel,
  ControlResponse,
  Lifecycle,
  Init,
  Status,
  StateChanged,
  Retry,
  WritesLost,
  BackgroundTasks,
  LimitEvent,
  User,
  Assistant,
  Result
])
export type Frame = typeof Frame.Type
export const decodeFrame = Schema.decodeUnknownOption(Frame)

/** The answers to our own control requests. */
export const Initialized = Schema.Struct({
  claude_code_version: Schema.String,
  current_permission_mode: Schema.String,
  commands: optional(
    Schema.Array(Schema.Struct({ name: Schema.String, argumentHint: optional(Schema.String) }))
  ),
  account: optional(
    Schema.Struct({ tokenSource: optional(Schema.String), apiKeySource: optional(Schema.String) })
  )
})

export const PermissionRules = Schema.Struct({ state: Schema.Struct({ originalCwd: Schema.String }) })

export const Interrupted = Schema.Struct({ still_queued: optional(Strings) })
