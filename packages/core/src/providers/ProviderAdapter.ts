import type * as E from "@rejoin/contracts/Errors"
import type { Fact } from "@rejoin/contracts/Fact"
import type { MessageId, ProviderInstanceId, ProviderSessionId, ThreadId } from "@rejoin/contracts/Ids"
import type { Capabilities, ProviderInfo, ProviderModel, RelocateWay } from "@rejoin/contracts/Provider"
import type { Answer } from "@rejoin/contracts/Request"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Brought } from "@rejoin/contracts/Trust"
import type { Attachment } from "@rejoin/contracts/Turn"
import { Context, Data, type Effect, type Option, type Scope, type Stream } from "effect"
import type { Conversation } from "../conversation/Conversation.ts"
import type { AdapterEvent } from "./AdapterEvent.ts"
import type { OwnSessions } from "./OwnSessions.ts"
import type { AdapterFailure, Environment, ResumeCursor } from "./ResumeCursor.ts"
import type { TerminalAccess } from "./TerminalAccess.ts"
import type { Piece, TranscriptFiles, TranscriptHead } from "../store/TranscriptStore.ts"
import type { Found, History, ModeFound, Probe, ProbeFailure, Repair } from "../plan/Probe.ts"

/**
 * Up to where a fork of a thread goes: the end, or the end of the turn that began with our message `last`. `next` is
 * our first message after that turn, null where there is none.
 */
export type ForkPoint = "end" | { readonly last: MessageId; readonly next: MessageId | null }

export interface StartRequest extends Environment {
  readonly threadId: ThreadId
  readonly generation: number
  /** The title for the upstream session. It contains the thread's mark, by which `undo` finds what was created. */
  readonly title: string
  /** Realpath of a directory that exists. */
  readonly cwd: string
  readonly mode: RuntimeMode
  readonly model: string | null
  /** What the agent is told beside its own instructions; the same at each start of a thread. */
  readonly systemPrompt: string | null
  /** The last message of ours known to be upstream. */
  readonly mark: MessageId | null
  /** What the probe found to be mended, and the plan wants mended, before the session is adopted. */
  readonly repairs: ReadonlyArray<Repair>
  /** Where a thread becomes a fork of another one; absent where a thread's own conversation moves. */
  readonly fork?: ForkPoint
  /**
   * Writes the id of a session that this start has just created into its intent. Must be called before anything
   * else is done with that session, so that it is undone if the start fails or we die (law 7).
   */
  readonly created: (id: ProviderSessionId) => Effect.Effect<void, E.StoreFailed>
}

/** What was read back from the upstream after a start. */
export interface Verified {
  readonly directory: Fact<string>
  readonly mode: Fact<ModeFound>
  readonly model: Fact<string>
  readonly history: History
  readonly evidence: unknown
}

export interface Started {
  readonly session: AdapterSession
  readonly verified: Verified
  /** Our mark in the session as it is now: a fork may have given the messages other ids. */
  readonly mark: MessageId | null
  /** The ids that messages have now, by those that they had, where carrying them over gave them others. */
  readonly renamed?: ReadonlyMap<string, string>
  /** How many of what could not be carried over, by what it is. */
  readonly leftOut?: Readonly<Record<string, number>>
}

export interface TurnInput {
  /** Ours to choose, and sent along: `delivered` finds the message by it. */
  readonly messageId: MessageId
  readonly input: string
  readonly attachments: ReadonlyArray<Attachment>
}

/**
 * `sent` is `no` only where it is certain that nothing was: then, and only then, the turn is sent once more. That the
 * session is in another place or has other powers may show only now, where the provider asks before it takes a
 * message.
 */
export class SendFailure extends Data.TaggedError("SendFailure")<{
  readonly failure: AdapterFailure | E.DirectoryMismatch | E.PermissionMismatch
  readonly sent: "no" | "maybe"
}> {}

/** What was sent, and what is known of it. */
export interface Sent {
  readonly cursor: ResumeCursor
  /**
   * The message was read back from the conversation. False where the upstream took it and it is none of the
   * conversation's: what the agent does or answers by itself, or a conversation that it does not write down.
   */
  readonly kept: boolean
}

/** A live connection to an upstream session. It is closed by the scope in which it was started. */
export interface AdapterSession {
  readonly cursor: ResumeCursor
  /** Subscribed before the start returned (C31); nothing is lost between the two. To be run once. */
  readonly events: Stream.Stream<AdapterEvent>
  /** Succeeds when the message was read back upstream, and returns the current cursor (C1). */
  send(turn: TurnInput): Effect.Effect<Sent, SendFailure>
  /** Joins the running turn; false where none runs any more. Where `capabilities.steer`. */
  readonly steer?: (turn: TurnInput) => Effect.Effect<boolean, SendFailure>
  /** Asks the running turn to end; it settles by its event. Where `capabilities.interrupt`. */
  readonly interrupt?: Effect.Effect<void, AdapterFailure>
  answer(requestId: string, answer: Answer): Effect.Effect<void, AdapterFailure>
  /** Between turns only; reads back what is in force. Where `capabilities.reconfigure`. */
  readonly reconfigure?: (to: {
    readonly mode: RuntimeMode
    readonly model: string | null
  }) => Effect.Effect<Verified, AdapterFailure>
  /** Whether the session works in the background although no turn runs. */
  readonly background: Effect.Effect<boolean, AdapterFailure>
}

/** A start of a session, in the scope that closes it. */
export type Starting = Effect.Effect<Started, AdapterFailure | ProbeFailure | E.StoreFailed, Scope.Scope>

/** What a probe is made for. */
export interface About extends Environment {
  readonly mark: MessageId | null
  readonly wantedCwd: string
}

/** Our copy of a session that the agent has lost. */
export interface TranscriptCopy {
  readonly head: TranscriptHead
  readonly files: Effect.Effect<TranscriptFiles, E.StoreFailed>
}

/** What a start that did not end may have left upstream. */
export interface Leftover extends Environment {
  readonly created: ReadonlyArray<ProviderSessionId>
  /**
   * Part of the title of every session that was created for the thread; null where only `created` is known to be
   * ours.
   */
  readonly titleMark: string | null
  /** When the start ran, in ms since the epoch: what was created before or after is somebody else's. */
  readonly window: { readonly from: number; readonly to: number }
  /** Sessions of the thread that must stay: the bound one and its lineage. */
  readonly keep: ReadonlyArray<ProviderSessionId>
  readonly cwd: string
}

/**
 * Speaks for one provider instance. It supplies facts and primitives; what is done with a conversation is decided by
 * `plan` alone. A primitive whose capability is lacking is absent.
 *
 * `C` is the adapter's own cursor: only what its `decodeCursor` returned is ever handed to it.
 */
export interface ProviderAdapterShape<C extends ResumeCursor = ResumeCursor> {
  readonly id: ProviderInstanceId
  readonly driver: string
  /** Found where, which version, usable or why not. Prints no secret. Never fails: that too is told. */
  readonly info: Effect.Effect<ProviderInfo>
  readonly capabilities: Effect.Effect<Capabilities, AdapterFailure>
  /** A new id for a message of ours, in the shape that this provider takes. */
  readonly newMessageId: Effect.Effect<MessageId>
  /** None for whatever is not a cursor of this driver and version (C6). Never throws. */
  decodeCursor(stored: unknown): Option.Option<C>
  encodeCursor(cursor: C): unknown
  /** What a directory can bring for this agent; absent where it reads nothing of a directory. */
  readonly brings?: {
    /** What is there, for a session in this directory: found by looking at files, and nothing of it run. */
    find(directory: string): Effect.Effect<ReadonlyArray<Brought>>
    /** Whether it is not loaded without `loads`. Where it would be, no session starts there before it is trusted. */
    keepsOut(brought: Brought): boolean
  }
  /** Creates and changes nothing. */
  probe(cursor: C, about: About): Effect.Effect<Probe>
  /**
   * What `probe` would find of a session that is live here, told by facts that cost the same however long the history
   * is: whether anybody else can have touched it. None where one of them leaves a doubt: then it is probed. Absent where
   * a probe costs no more than that.
   */
  readonly glance?: (cursor: C, about: About) => Effect.Effect<Option.Option<Found>>
  create(request: StartRequest): Starting
  adopt(cursor: C, request: StartRequest): Starting
  readonly relocate: { readonly [Way in RelocateWay]?: (cursor: C, request: StartRequest) => Starting }
  /**
   * What is new in the agent's own record of a session since `position`, which an earlier call returned: costs what is
   * new. `anew` where it was written again from the beginning, and all of it is there. None where there is no record.
   * Fails where more than `atMost` bytes are new.
   */
  readonly transcript?: (
    cursor: C,
    position: unknown,
    atMost: number
  ) => Effect.Effect<
    Option.Option<{
      readonly pieces: ReadonlyArray<Piece>
      readonly position: unknown
      readonly anew: boolean
    }>,
    AdapterFailure
  >
  /**
   * Writes our copy where the agent looks, under the id that it had, over nothing that is there; then adopts it, with the
   * copy's mark read back. One that fails leaves nothing of it.
   */
  readonly restore?: (copy: TranscriptCopy, request: StartRequest) => Starting
  /** Ends what the upstream still works on in this session, and waits until it has ended. */
  readonly quiesce?: (cursor: C, environment: Environment) => Effect.Effect<void, AdapterFailure>
  /**
   * Writes what was said with another agent as a record of its own, and goes on from that. `mark` is the last message, and
   * `renamed` has each by the id that it had there. Where `capabilities.compose`.
   */
  compose?(conversation: Conversation, request: StartRequest): Starting
  /** The models that the agent offers its user. Costs no prompt. Absent where it does not tell. */
  readonly models?: Effect.Effect<ReadonlyArray<ProviderModel>, AdapterFailure>
  /** The sessions in its own store. Absent where that is out of reach. */
  readonly own?: OwnSessions<C>
  /** Whether the record of this session can have a file of this name: no other is taken from elsewhere. */
  isRecord?(file: string, providerSessionId: string): boolean
  /** Absent where the agent deletes no session by itself. */
  readonly expiry?: {
    /** When it deletes this one if nobody uses it, in ms since the epoch; none where it has nothing to delete. */
    at(cursor: C): Effect.Effect<Option.Option<number>, AdapterFailure>
    /** Makes it count as used now. Changes nothing in the conversation. */
    renew(cursor: C): Effect.Effect<void, AdapterFailure>
  }
  /** Where `capabilities.terminal`. */
  readonly terminal?: TerminalAccess<C>
  /** Whether the message reached the upstream: decides what becomes of a turn after a crash. */
  delivered(
    cursor: C,
    messageId: MessageId,
    environment: Environment
  ): Effect.Effect<"arrived" | "absent" | "unknown">
  /**
   * Whether the model is told of a message that arrived with every later one. False where its turn failed and the agent
   * dropped it. Absent where what arrived stays.
   */
  keeps?(cursor: C, messageId: MessageId): Effect.Effect<boolean>
  /** Removes what a start created, and nothing else (law 7). */
  undo(leftover: Leftover): Effect.Effect<void, AdapterFailure>
}

export class ProviderAdapter extends Context.Service<ProviderAdapter, ProviderAdapterShape>()(
  "@rejoin/core/ProviderAdapter"
) {}

/**
 * The adapter as the core sees it. Sound because a cursor reaches an adapter only from its own `decodeCursor`: the
 * core keeps the two together (C23).
 */
export const eraseCursor = <C extends ResumeCursor>(adapter: ProviderAdapterShape<C>): ProviderAdapterShape =>
  adapter as unknown as ProviderAdapterShape
