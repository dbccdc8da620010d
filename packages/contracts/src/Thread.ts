import { Schema } from "effect"
import { OnLimit } from "./Unattended.ts"
import { Failure } from "./Failure.ts"
import { ProviderInstanceId, ProviderSessionId, ThreadId, TurnId } from "./Ids.ts"
import { RuntimeMode } from "./RuntimeMode.ts"
import { plain } from "./Text.ts"
import { Timestamp } from "./Time.ts"

/** How a thread is found from outside: T1, T8. `external` is for example `telegram:<chat id>`. */
export const ThreadKey = Schema.Struct({
  agent: plain(200).check(Schema.isNonEmpty()),
  external: plain(500).check(Schema.isNonEmpty())
})
export type ThreadKey = typeof ThreadKey.Type

/** What the agent is told beside its own instructions, in every turn of the thread from the first one on. */
export const SystemPrompt = plain(20_000).check(Schema.isNonEmpty())

/** `done` and `error` tell how the last turn ended; `idle` is before the first and after an interrupted one. */
export const ThreadStatus = Schema.Literals(["idle", "running", "done", "error"])
export type ThreadStatus = typeof ThreadStatus.Type

export const SessionState = Schema.Literals([
  "none",
  "starting",
  "ready",
  "running",
  "waiting",
  "stopped",
  "error"
])
export type SessionState = typeof SessionState.Type

/** Sums over the thread's life. `costUsd` is in US dollars as the provider reckons it. */
export const Usage = Schema.Struct({
  inputTokens: Schema.Finite,
  outputTokens: Schema.Finite,
  costUsd: Schema.Finite
})
export type Usage = typeof Usage.Type

/** Our copy of the agent's own record: its size without compression, and the last turn that is in it for certain. */
export const TranscriptInfo = Schema.Struct({
  bytes: Schema.Finite,
  upToTurnId: Schema.NullOr(TurnId),
  at: Timestamp
})
export type TranscriptInfo = typeof TranscriptInfo.Type

/** The thread that this one began as a fork of; with a turn, as it was when that turn had settled. */
export const ForkedFrom = Schema.Struct({ threadId: ThreadId, turnId: Schema.optionalKey(TurnId) })
export type ForkedFrom = typeof ForkedFrom.Type

/** When a thread went elsewhere, and where to, in the words of whoever sent it there. */
export const Moved = Schema.Struct({ at: Timestamp, to: Schema.NullOr(plain(200)) })
export type Moved = typeof Moved.Type

export const Thread = Schema.Struct({
  id: ThreadId,
  title: Schema.String,
  /** The provider instance's id. */
  provider: ProviderInstanceId,
  driver: Schema.String,
  project: Schema.optionalKey(Schema.String),
  key: Schema.optionalKey(ThreadKey),
  forkedFrom: Schema.optionalKey(ForkedFrom),
  /** Realpath of the directory in which the agent's tools run. */
  cwd: Schema.String,
  runtimeMode: RuntimeMode,
  model: Schema.NullOr(Schema.String),
  systemPrompt: Schema.optionalKey(SystemPrompt),
  /** Where it is not as the settings have it. */
  onLimit: Schema.optionalKey(OnLimit),
  status: ThreadStatus,
  /** The first of its turns that wait for their time begins then. */
  waitsUntil: Schema.optionalKey(Timestamp),
  /** Null where we hold none: nothing was said yet, or copies are not kept. */
  transcript: Schema.optionalKey(Schema.NullOr(TranscriptInfo)),
  session: Schema.Struct({
    state: SessionState,
    providerSessionId: Schema.optionalKey(ProviderSessionId),
    /** What the agent is at, where it is at more than talking: a command, the files that it changes, a tool. */
    runningTool: Schema.optionalKey(Schema.String),
    /** The next message begins anew: a reset was asked for. */
    startsAnew: Schema.optionalKey(Schema.Literal(true)),
    /** Since when the user's own terminal has the session; what is sent meanwhile is refused. */
    terminalSince: Schema.optionalKey(Timestamp),
    /** It was exported to go on elsewhere; what is sent here is refused until it is claimed. */
    moved: Schema.optionalKey(Moved)
  }),
  /** Grows with each start of a session. */
  generation: Schema.Int,
  /** The `seq` of the thread's last event; 0 before the first. */
  lastSeq: Schema.Int,
  pendingRequests: Schema.Int,
  usage: Usage,
  lastError: Schema.optionalKey(Failure),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  lastActivityAt: Timestamp
}).annotate({ identifier: "Thread" })
export type Thread = typeof Thread.Type
