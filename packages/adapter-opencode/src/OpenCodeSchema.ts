import { UpstreamId } from "@rejoin/core/providers/AdapterEvent"
import { Schema } from "effect"

// What we use of OpenCode's messages, and no more: what else they carry may change. Measured on 1.18.33.

export const Rule = Schema.Struct({
  permission: Schema.String,
  pattern: Schema.String,
  action: Schema.Literals(["allow", "deny", "ask"])
})
export type Rule = typeof Rule.Type

/** An id that the server would not mistake for a route or answer with a 500 (C6). */
export const SessionId = Schema.Trim.check(Schema.isPattern(/^ses_[0-9A-Za-z]{10,64}$/))

/** An agent, the user's own and the built-in ones, with all of its rules in the order in which they hold. */
export const Agent = Schema.Struct({ name: Schema.String, permission: Schema.Array(Rule) })

export const Session = Schema.Struct({
  id: SessionId,
  title: Schema.String,
  directory: Schema.String,
  projectID: Schema.String,
  parentID: Schema.optional(Schema.String),
  time: Schema.Struct({ created: Schema.Finite }),
  permission: Schema.optional(Schema.Array(Rule)),
  revert: Schema.optional(Schema.Struct({ messageID: Schema.String }))
})
export type Session = typeof Session.Type

export const ErrorInfo = Schema.Struct({
  name: Schema.String,
  data: Schema.optional(
    Schema.Struct({
      message: Schema.optional(Schema.String),
      statusCode: Schema.optional(Schema.Finite),
      isRetryable: Schema.optional(Schema.Boolean),
      responseHeaders: Schema.optional(Schema.Record(Schema.String, Schema.String))
    })
  )
})
export type ErrorInfo = typeof ErrorInfo.Type

export const MessageInfo = Schema.Struct({
  id: UpstreamId,
  sessionID: Schema.String,
  role: Schema.Literals(["user", "assistant"]),
  parentID: Schema.optional(Schema.String),
  path: Schema.optional(Schema.Struct({ cwd: Schema.String })),
  providerID: Schema.optional(Schema.String),
  modelID: Schema.optional(Schema.String),
  time: Schema.Struct({ created: Schema.Finite, completed: Schema.optional(Schema.Finite) }),
  error: Schema.optional(ErrorInfo)
})
export type MessageInfo = typeof MessageInfo.Type

const Metadata = Schema.Record(Schema.String, Schema.Unknown)

const partBase = { id: Schema.String, messageID: Schema.String, sessionID: Schema.String }

export const TextPart = Schema.Struct({
  ...partBase,
  type: Schema.Literals(["text", "reasoning"]),
  text: Schema.String,
  synthetic: Schema.optional(Schema.Boolean),
  time: Schema.optional(Schema.Struct({ end: Schema.optional(Schema.Finite) }))
})
export type TextPart = typeof TextPart.Type

export const ToolPart = Schema.Struct({
  ...partBase,
  type: Schema.Literal("tool"),
  tool: Schema.String,
  callID: Schema.String,
  state: Schema.Struct({
    status: Schema.Literals(["pending", "running", "completed", "error"]),
    input: Schema.optional(Metadata),
    output: Schema.optional(Schema.String),
    error: Schema.optional(Schema.String),
    title: Schema.optional(Schema.String),
    metadata: Schema.optional(Metadata)
  })
})
export type ToolPart = typeof ToolPart.Type

export const StepFinishPart = Schema.Struct({
  ...partBase,
  type: Schema.Literal("step-finish"),
  cost: Schema.Finite,
  tokens: Schema.Struct({
    input: Schema.Finite,
    output: Schema.Finite,
    reasoning: Schema.Finite,
    cache: Schema.Struct({ read: Schema.Finite, write: Schema.Finite })
  })
})

export const OtherPart = Schema.Struct({ ...partBase, type: Schema.String })

export const Part = Schema.Union([TextPart, ToolPart, StepFinishPart, OtherPart])
export type Part = typeof Part.Type

export const Message = Schema.Struct({ info: MessageInfo, parts: Schema.Array(Schema.Unknown) })
export type Message = typeof Message.Type

export const PermissionAsked = Schema.Struct({
  id: UpstreamId,
  sessionID: Schema.String,
  permission: Schema.String,
  patterns: Schema.Array(Schema.String),
  metadata: Schema.optional(Metadata),
  tool: Schema.optional(Schema.Struct({ callID: Schema.String }))
})
export type PermissionAsked = typeof PermissionAsked.Type

export const QuestionAsked = Schema.Struct({
  id: UpstreamId,
  sessionID: Schema.String,
  questions: Schema.Array(
    Schema.Struct({
      question: Schema.String,
      header: Schema.optional(Schema.String),
      multiple: Schema.optional(Schema.Boolean),
      options: Schema.Array(
        Schema.Struct({ label: Schema.String, description: Schema.optional(Schema.String) })
      )
    })
  )
})
export type QuestionAsked = typeof QuestionAsked.Type

const event = <const Type extends string, S extends Schema.Top>(type: Type, properties: S) =>
  Schema.Struct({ type: Schema.Literal(type), properties })

const ofSession = { sessionID: Schema.String }

const RetryStatus = Schema.Struct({
  type: Schema.Literal("retry"),
  attempt: Schema.Finite,
  message: Schema.String,
  /** When it asks again, in ms since the epoch. */
  next: Schema.optional(Schema.Finite)
})
export type RetryStatus = typeof RetryStatus.Type

/** The events that we act on. Everything else on the bus is dropped, the `sync` doubles among it. */
export const BusEvent = Schema.Union([
  event("session.created", Schema.Struct({ info: Session })),
  event("session.updated", Schema.Struct({ info: Session })),
  event(
    "session.status",
    Schema.Struct({
      ...ofSession,
      status: Schema.Union([Schema.Struct({ type: Schema.Literals(["idle", "busy"]) }), RetryStatus])
    })
  ),
  event(
    "session.error",
    Schema.Struct({ sessionID: Schema.optional(Schema.String), error: Schema.optional(ErrorInfo) })
  ),
  event("session.deleted", Schema.Struct({ info: Schema.Struct({ id: Schema.String }) })),
  event("message.updated", Schema.Struct({ info: MessageInfo })),
  event("message.part.updated", Schema.Struct({ part: Part })),
  event(
    "message.part.delta",
    Schema.Struct({
      ...ofSession,
      messageID: Schema.String,
      partID: Schema.String,
      field: Schema.String,
      delta: Schema.String
    })
  ),
  event("permission.asked", PermissionAsked),
  event("permission.replied", Schema.Struct({ ...ofSession, requestID: Schema.String })),
  event("question.asked", QuestionAsked),
  event("question.replied", Schema.Struct({ ...ofSession, requestID: Schema.String })),
  event("question.rejected", Schema.Struct({ ...ofSession, requestID: Schema.String }))
])
export type BusEvent = typeof BusEvent.Type

/** To which session an event belongs. */
export const sessionOf = (event: BusEvent): string | undefined => {
  switch (event.type) {
    case "session.created":
    case "session.updated":
    case "session.deleted":
      return event.properties.info.id
    case "message.updated":
      return event.properties.info.sessionID
    case "message.part.updated":
      return event.properties.part.sessionID
    default:
      return event.properties.sessionID
  }
}

export const NotFoundBody = Schema.Struct({ name: Schema.Literal("NotFoundError") })
