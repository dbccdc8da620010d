import { Schema } from "effect"

// What an agent tells, as far as it is used. What is not known is passed over: other agents tell other things.

const Text = Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })
const Other = Schema.Struct({ type: Schema.String })
const Block = Schema.Union([Text, Other])

const Meta = Schema.optionalKey(Schema.NullOr(Schema.Record(Schema.String, Schema.Unknown)))

const Content = Schema.Union([
  Schema.Struct({ type: Schema.Literal("content"), content: Block }),
  Schema.Struct({
    type: Schema.Literal("diff"),
    path: Schema.String,
    oldText: Schema.optionalKey(Schema.NullOr(Schema.String)),
    newText: Schema.String
  }),
  Other
])
export type Content = typeof Content.Type

const maybe = <S extends Schema.Top>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

export const ToolCall = Schema.Struct({
  toolCallId: Schema.NonEmptyString,
  title: maybe(Schema.String),
  name: maybe(Schema.String),
  kind: maybe(Schema.String),
  status: maybe(Schema.String),
  content: maybe(Schema.Array(Content)),
  locations: maybe(Schema.Array(Schema.Struct({ path: Schema.String }))),
  rawInput: Schema.optionalKey(Schema.Unknown),
  rawOutput: Schema.optionalKey(Schema.Unknown),
  _meta: Meta
})
export type ToolCall = typeof ToolCall.Type

const Chunk = <const Kind extends string>(kind: Kind) =>
  Schema.Struct({ sessionUpdate: Schema.Literal(kind), content: Block, _meta: Meta })

export const ConfigOption = Schema.Struct({
  id: Schema.String,
  currentValue: Schema.Union([Schema.String, Schema.Boolean])
})

export const Update = Schema.Union([
  Chunk("user_message_chunk"),
  Chunk("agent_message_chunk"),
  Chunk("agent_thought_chunk"),
  Schema.Struct({ sessionUpdate: Schema.Literal("tool_call"), ...ToolCall.fields }),
  Schema.Struct({ sessionUpdate: Schema.Literal("tool_call_update"), ...ToolCall.fields }),
  Schema.Struct({
    sessionUpdate: Schema.Literal("plan"),
    entries: Schema.Array(Schema.Struct({ content: Schema.String, status: Schema.String }))
  }),
  Schema.Struct({ sessionUpdate: Schema.Literal("current_mode_update"), currentModeId: Schema.String }),
  Schema.Struct({
    sessionUpdate: Schema.Literal("config_option_update"),
    configOptions: Schema.Array(ConfigOption)
  })
])
export type Update = typeof Update.Type

export const Notified = Schema.Struct({ sessionId: Schema.String, update: Update })

export const Permission = Schema.Struct({
  sessionId: Schema.String,
  toolCall: ToolCall,
  options: Schema.Array(Schema.Struct({ optionId: Schema.String, name: Schema.String, kind: Schema.String }))
})
export type Permission = typeof Permission.Type

export const Initialized = Schema.Struct({
  protocolVersion: Schema.Finite,
  agentInfo: maybe(Schema.Struct({ name: Schema.String, version: Schema.String })),
  agentCapabilities: Schema.optionalKey(
    Schema.Struct({
      loadSession: Schema.optionalKey(Schema.Boolean),
      promptCapabilities: Schema.optionalKey(Schema.Struct({ image: Schema.optionalKey(Schema.Boolean) })),
      sessionCapabilities: maybe(Schema.Record(Schema.String, Schema.Unknown))
    })
  )
})
export type Initialized = typeof Initialized.Type

/** What a session is opened with, or is set to. */
export const Opened = Schema.Struct({
  sessionId: Schema.optionalKey(Schema.String),
  modes: maybe(Schema.Struct({ currentModeId: Schema.String })),
  configOptions: maybe(Schema.Array(ConfigOption))
})
export type Opened = typeof Opened.Type

export const Prompted = Schema.Struct({
  stopReason: Schema.String,
  usage: maybe(
    Schema.Struct({
      inputTokens: Schema.optionalKey(Schema.Finite),
      outputTokens: Schema.optionalKey(Schema.Finite)
    })
  ),
  _meta: Meta
})
export type Prompted = typeof Prompted.Type
