import type { OnLost, OnWrongStore } from "@rejoin/contracts/Config"
import { defaultRuntimeMode, type RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { OnInterrupted, OnLimit } from "@rejoin/contracts/Unattended"
import { Context, Duration } from "effect"

export interface RetentionLimits {
  /** The newest so many of a project; 1 to 50. */
  readonly sessions: number
  /** Of those, the ones that were used within so many days; 1 to 365. */
  readonly days: number
}

export interface SettingsShape {
  /** Realpaths under which a thread may work; null allows any. */
  readonly roots: ReadonlyArray<string> | null
  /** Realpaths under which none may, whatever the roots say: our own data. */
  readonly forbidden: ReadonlyArray<string>
  /** Where short-lived files of ours may be written; null where there is no such place. */
  readonly scratch: string | null
  /** Whether agents in a user's terminal are given a hook that tells us which session they are in (E14). */
  readonly notificationHooks: boolean
  /** What a new thread may do where its request does not say. */
  readonly runtimeMode: RuntimeMode
  /** What its agent is told beside its own instructions, where the request does not say; null for nothing. */
  readonly systemPrompt: string | null
  /** Variables that a request may set for an agent beside those that are known to do no harm; `MY_*` for all that begin so. */
  readonly extraEnv: ReadonlyArray<string>
  /** What becomes of a thread whose conversation is gone upstream and not restorable. */
  readonly onLost: OnLost
  /** What becomes of a thread whose agent works on another store now. */
  readonly onWrongStore: OnWrongStore
  /** What becomes of a turn that its account's usage limit ended, where its thread does not say. */
  readonly onLimit: OnLimit
  /** How long a usage limit is waited for at most. */
  readonly limitWait: Duration.Duration
  /** What becomes of a turn that the server or the agent stopped under. */
  readonly onInterrupted: OnInterrupted
  /** How long an agent may wait for its model before that is a usage limit. */
  readonly retryTimeout: Duration.Duration
  /** How long a session may be idle before it is reaped. */
  readonly idle: Duration.Duration
  /** How often the reaper looks. */
  readonly sweep: Duration.Duration
  /** How long background work can put off the reaping of an idle session. */
  readonly defer: Duration.Duration
  /** How long a running turn may be silent before that is told. */
  readonly stall: Duration.Duration
  /** Of which threads the events and transcripts are kept, in each project; null keeps all. */
  readonly retention: RetentionLimits | null
  /** Whether the agents' own records are copied, and how large one copy may be, without compression. */
  readonly transcripts: { readonly keep: boolean; readonly maxBytes: number }
  /** How long a provider may take for one call: a probe, a start, a send, an interrupt. */
  readonly callTimeout: Duration.Duration
  readonly startTimeout: Duration.Duration
  /** How long a provider may take for a message: an agent may first compact what was said before. */
  readonly sendTimeout: Duration.Duration
  /** How long an interrupted turn may take to settle before its session is closed instead. */
  readonly interruptTimeout: Duration.Duration
  /** Deltas of one item that come within this time are one event. */
  readonly mergeDeltas: Duration.Duration
}

export const defaults: SettingsShape = {
  roots: null,
  forbidden: [],
  scratch: null,
  notificationHooks: true,
  runtimeMode: defaultRuntimeMode,
  systemPrompt: null,
  extraEnv: [],
  onLost: "replace",
  onWrongStore: "refuse",
  onLimit: "fail",
  limitWait: Duration.days(8),
  onInterrupted: "tell",
  retryTimeout: Duration.minutes(2),
  transcripts: { keep: true, maxBytes: 128 * 1024 * 1024 },
  idle: Duration.minutes(30),
  sweep: Duration.minutes(5),
  defer: Duration.hours(4),
  stall: Duration.minutes(15),
  retention: null,
  callTimeout: Duration.seconds(30),
  startTimeout: Duration.seconds(90),
  sendTimeout: Duration.minutes(3),
  interruptTimeout: Duration.seconds(10),
  mergeDeltas: Duration.millis(20)
}

/** The core's settings, as the operator has set them or by default. */
export const Settings = Context.Reference<SettingsShape>("@rejoin/core/Settings", {
  defaultValue: () => defaults
})
