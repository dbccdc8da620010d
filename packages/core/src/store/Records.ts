import { Failure } from "@rejoin/contracts/Failure"
import { MessageId, ProviderInstanceId, ProviderSessionId, StoreId, ThreadId } from "@rejoin/contracts/Ids"
import { Item } from "@rejoin/contracts/Item"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { ForkedFrom, Moved, SessionState, ThreadKey, ThreadStatus, Usage } from "@rejoin/contracts/Thread"
import { Timestamp } from "@rejoin/contracts/Time"
import { AttachmentRef, Continues, Turn } from "@rejoin/contracts/Turn"
import { OnLimit } from "@rejoin/contracts/Unattended"
import { Schema } from "effect"

// What the store keeps, where it is more than what the contracts show.

export const ThreadRecord = Schema.Struct({
  id: ThreadId,
  title: Schema.String,
  provider: ProviderInstanceId,
  driver: Schema.String,
  project: Schema.NullOr(Schema.String),
  key: Schema.NullOr(ThreadKey),
  forkedFrom: Schema.optionalKey(ForkedFrom),
  cwd: Schema.String,
  runtimeMode: RuntimeMode,
  model: Schema.NullOr(Schema.String),
  systemPrompt: Schema.optionalKey(Schema.String),
  onLimit: Schema.optionalKey(OnLimit),
  status: ThreadStatus,
  extraEnv: Schema.Record(Schema.String, Schema.String),
  additionalDirectories: Schema.Array(Schema.String),
  usage: Usage,
  lastError: Schema.NullOr(Failure),
  lastSeq: Schema.Int,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  lastActivityAt: Timestamp
})
export type ThreadRecord = typeof ThreadRecord.Type

/** That the user's own terminal has the session: what would be started for the thread meanwhile is refused. */
export const TerminalLease = Schema.Struct({
  /** In the environment of the agent that runs there. */
  id: Schema.String,
  /** That agent's program: what else inherited the id, a server that a tool of its started, holds no session. */
  program: Schema.String,
  /** The file in which the agent's own hook writes down which session it is in; null where it has none. */
  reports: Schema.NullOr(Schema.String),
  /** It was opened with a new session, which is to become the thread's. */
  begins: Schema.optional(
    Schema.Struct({
      /** The id that it was given, where its agent takes one. */
      assigned: Schema.NullOr(ProviderSessionId),
      cwd: Schema.String,
      /** No other one was opened so in this directory meanwhile: what is found there can only be its own (E7). */
      alone: Schema.Boolean
    })
  ),
  at: Timestamp
})
export type TerminalLease = typeof TerminalLease.Type

/** The stored connection of a thread to its upstream conversation. Every thread has one from its first moment. */
export const Binding = Schema.Struct({
  threadId: ThreadId,
  instanceId: ProviderInstanceId,
  driver: Schema.String,
  storeId: Schema.NullOr(StoreId),
  providerSessionId: Schema.NullOr(ProviderSessionId),
  /** As the adapter encoded it; null before the first start. */
  cursor: Schema.Unknown,
  /** Where the session was last started, and with which powers and model. */
  cwd: Schema.NullOr(Schema.String),
  mode: Schema.NullOr(RuntimeMode),
  model: Schema.NullOr(Schema.String),
  status: SessionState,
  generation: Schema.Int,
  prior: Schema.Literals(["none", "maybe", "some"]),
  mark: Schema.NullOr(MessageId),
  /** The user asked to start anew; consumed only when the new session is stored (T6). */
  resetRequested: Schema.Boolean,
  terminal: Schema.NullOr(TerminalLease),
  /** It went elsewhere: nothing is started here until it is claimed. */
  moved: Schema.NullOr(Moved),
  lastSeenAt: Schema.NullOr(Timestamp),
  createdAt: Timestamp,
  updatedAt: Timestamp
})
export type Binding = typeof Binding.Type

/** A session that the thread had before, and why it has another one now. */
export const LineageEntry = Schema.Struct({
  threadId: ThreadId,
  generation: Schema.Int,
  instanceId: ProviderInstanceId,
  storeId: Schema.NullOr(StoreId),
  providerSessionId: Schema.NullOr(ProviderSessionId),
  cursor: Schema.Unknown,
  cwd: Schema.NullOr(Schema.String),
  reason: Schema.String,
  at: Timestamp
})
export type LineageEntry = typeof LineageEntry.Type

/**
 * A start that has begun and not ended: what it created is undone if it does not. One that wrote a lost session back, under
 * the id that it had, stays as `undone` until the thread has a session: what it wrote may be there, and may end before
 * the last turn.
 */
export const StartIntent = Schema.Struct({
  threadId: ThreadId,
  generation: Schema.Int,
  instanceId: ProviderInstanceId,
  step: Schema.String,
  titleMark: Schema.String,
  cwd: Schema.String,
  created: Schema.Array(ProviderSessionId),
  restores: Schema.optionalKey(Schema.Literal(true)),
  at: Timestamp
})
export type StartIntent = typeof StartIntent.Type

export const SteerRecord = Schema.Struct({
  input: Schema.String,
  attachments: Schema.optionalKey(Schema.Array(AttachmentRef)),
  at: Timestamp,
  messageId: MessageId,
  idempotencyKey: Schema.NullOr(Schema.String)
})
export type SteerRecord = typeof SteerRecord.Type

export const TurnRecord = Schema.Struct({
  id: Turn.fields.id,
  threadId: ThreadId,
  status: Turn.fields.status,
  input: Schema.String,
  attachments: Schema.Array(AttachmentRef),
  output: Schema.String,
  steers: Schema.Array(SteerRecord),
  delivery: Schema.NullOr(Schema.Literals(["queue", "steer"])),
  error: Schema.NullOr(Failure),
  idempotencyKey: Schema.NullOr(Schema.String),
  /** It was undone in the agent's own interface, and accepted as such. */
  undone: Schema.optionalKey(Schema.Boolean),
  /** It was said in the agent's own interface. */
  elsewhere: Schema.optionalKey(Schema.Boolean),
  /** Set where it does not begin before; it stays when it has begun. */
  notBefore: Schema.optionalKey(Timestamp),
  /** How often in a row turns went on for the same reason before it, in all and without anything done. */
  continues: Schema.optionalKey(
    Schema.Struct({
      ...Continues.fields,
      /** Of the limit. */
      scope: Schema.optionalKey(Schema.String),
      inAll: Schema.Int,
      inVain: Schema.Int
    })
  ),
  /** The device that sent or changed it: it, and what goes on with it, runs in no higher mode than that may use. */
  from: Schema.optionalKey(Schema.Struct({ device: Schema.String, mode: RuntimeMode })),
  continuedBy: Schema.optionalKey(Turn.fields.id),
  /** A person has asked it to end: what becomes of it is no accident. */
  interruptAsked: Schema.optionalKey(Schema.Literal(true)),
  /** Set with `dispatching`. */
  messageId: Schema.NullOr(MessageId),
  generation: Schema.NullOr(Schema.Int),
  acceptedAt: Timestamp,
  startedAt: Schema.NullOr(Timestamp),
  settledAt: Schema.NullOr(Timestamp)
})
export type TurnRecord = typeof TurnRecord.Type

export const ItemRecord = Schema.Struct({ threadId: ThreadId, item: Item })
export type ItemRecord = typeof ItemRecord.Type
