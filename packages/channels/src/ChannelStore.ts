import type { StoreFailed } from "@rejoin/contracts/Errors"
import type { ChannelPeer } from "@rejoin/contracts/Channel"
import { RequestId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { PendingRequest } from "@rejoin/contracts/Request"
import type { Timestamp } from "@rejoin/contracts/Time"
import { type Effect, type Option, Schema } from "effect"
import { ChatKey, type Inbound, type Said } from "./Inbound.ts"

/** A message that came, in the order in which they came. */
export interface Arrived<A extends Inbound = Inbound> {
  readonly seq: number
  readonly inbound: A
  /** When it came, in ms since the epoch. */
  readonly at: number
}

/**
 * A part of what is said in a chat: of an answer (`item` is its turn), of an approval or a question (its request), or a
 * word of our own.
 *
 * `held` waits for its text or its turn to begin; `planned` is to be sent; `sending` was begun, and nobody knows; `sent`
 * is there, and may have to say something else; `final` is done with.
 */
export const PartState = Schema.Literals(["held", "planned", "sending", "sent", "final"])
export type PartState = typeof PartState.Type

export const Part = Schema.Struct({
  item: Schema.String,
  part: Schema.Int,
  kind: Schema.Literals(["answer", "ask", "word"]),
  chat: ChatKey,
  /** The message that it answers. */
  to: Schema.NullOr(Schema.String),
  threadId: Schema.NullOr(ThreadId),
  state: PartState,
  /** The platform's id of the message. */
  remote: Schema.NullOr(Schema.String),
  /** What it is to say; null as long as that is not known. */
  text: Schema.NullOr(Schema.String),
  /** It is sent as a file of this name. */
  file: Schema.optionalKey(Schema.String),
  buttons: Schema.optionalKey(Schema.Array(Schema.Struct({ id: Schema.String, label: Schema.String }))),
  /** When the first attempt to send it began, in ms since the epoch. */
  since: Schema.optionalKey(Schema.Finite),
  /** Why it never arrived. */
  failed: Schema.optionalKey(Schema.String)
})
export type Part = typeof Part.Type

/** An approval or a question that was put into a chat. */
export const Ask = Schema.Struct({
  /** What its buttons carry: short, and says nothing. */
  id: Schema.String,
  chat: ChatKey,
  /** The message of the turn that asks. */
  to: Schema.NullOr(Schema.String),
  threadId: ThreadId,
  turnId: TurnId,
  requestId: RequestId,
  asked: PendingRequest.fields.ask,
  /** What was answered to the first questions. */
  answers: Schema.Array(Schema.Array(Schema.String)),
  /** The message that is its answer: it is nothing else, also where we die before that is known. */
  by: Schema.optionalKey(Schema.String),
  open: Schema.Boolean
})
export type Ask = typeof Ask.Type

/** What the channels have to remember: each in the database before anything is done about it. */
export interface ChannelStore {
  /** All of it or nothing; on the disk when it returns. */
  readonly transaction: <A, E, R>(body: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StoreFailed, R>

  /** Where to go on to receive; null for another account than the last one. */
  readonly cursor: (channel: string, account: string) => Effect.Effect<string | null, StoreFailed>
  readonly saveCursor: (channel: string, account: string, cursor: string) => Effect.Effect<void, StoreFailed>

  /** Keeps what came; false for what had come already. */
  readonly arrive: (channel: string, inbound: Inbound, at: number) => Effect.Effect<boolean, StoreFailed>
  /** What was said under this id, and the turn that was made of it. */
  readonly find: (
    channel: string,
    chat: ChatKey,
    message: string
  ) => Effect.Effect<
    Option.Option<{
      readonly arrived: Arrived<Said>
      readonly turnId: TurnId | null
      readonly open: boolean
    }>,
    StoreFailed
  >
  /** What a message says now. */
  readonly reword: (seq: number, inbound: Said) => Effect.Effect<void, StoreFailed>
  /** What is to be dealt with in a chat, oldest first. */
  readonly arrivals: (
    channel: string,
    chat: ChatKey,
    atMost: number
  ) => Effect.Effect<ReadonlyArray<Arrived>, StoreFailed>
  /** It was dealt with, by this turn where it became one. */
  readonly done: (seq: number, turnId: TurnId | null) => Effect.Effect<void, StoreFailed>

  /** Adds a part; where it is there already nothing is changed. */
  readonly addPart: (channel: string, part: Part) => Effect.Effect<void, StoreFailed>
  /** Makes of a part what the change makes of it as it is now, if it is there. */
  readonly changePart: (
    channel: string,
    part: Pick<Part, "item" | "part">,
    change: (before: Part) => Part
  ) => Effect.Effect<void, StoreFailed>
  readonly parts: (channel: string, item: string) => Effect.Effect<ReadonlyArray<Part>, StoreFailed>
  /** The part that became this message of the platform's. */
  readonly partOf: (channel: string, remote: string) => Effect.Effect<Option.Option<Part>, StoreFailed>
  /** What is to be sent or changed in a chat now, oldest first. */
  readonly due: (channel: string, chat: ChatKey) => Effect.Effect<Option.Option<Part>, StoreFailed>
  /** Answers that are not whole yet. */
  readonly unanswered: (channel: string) => Effect.Effect<ReadonlyArray<Part>, StoreFailed>

  readonly addAsk: (channel: string, ask: Ask) => Effect.Effect<void, StoreFailed>
  /** Makes of it what the change makes of it as it is now. */
  readonly changeAsk: (
    channel: string,
    id: string,
    change: (before: Ask) => Ask
  ) => Effect.Effect<void, StoreFailed>
  readonly ask: (channel: string, id: string) => Effect.Effect<Option.Option<Ask>, StoreFailed>
  readonly askOf: (channel: string, requestId: RequestId) => Effect.Effect<Option.Option<Ask>, StoreFailed>
  /** What was answered by this message. */
  readonly askBy: (
    channel: string,
    chat: ChatKey,
    message: string
  ) => Effect.Effect<Option.Option<Ask>, StoreFailed>
  readonly openAsks: (channel: string) => Effect.Effect<ReadonlyArray<Ask>, StoreFailed>

  /** The thread that a chat talks with. */
  readonly threadOf: (channel: string, chat: ChatKey) => Effect.Effect<Option.Option<ThreadId>, StoreFailed>
  readonly saveThread: (
    channel: string,
    chat: ChatKey,
    threadId: ThreadId
  ) => Effect.Effect<void, StoreFailed>
  readonly forgetThread: (channel: string, chat: ChatKey) => Effect.Effect<void, StoreFailed>
  /** The chat goes on under another key, with its thread and all that waits. */
  readonly rename: (channel: string, chat: ChatKey, to: ChatKey) => Effect.Effect<void, StoreFailed>
  /** All chats that were ever heard here. */
  readonly chats: (channel: string) => Effect.Effect<ReadonlyArray<ChatKey>, StoreFailed>
  /** Chats in which something is to be dealt with, or to be sent. */
  readonly busy: (channel: string) => Effect.Effect<ReadonlyArray<ChatKey>, StoreFailed>
  readonly waiting: (
    channel: string
  ) => Effect.Effect<{ readonly in: number; readonly out: number }, StoreFailed>

  readonly peers: (channel: string) => Effect.Effect<ReadonlyArray<ChannelPeer>, StoreFailed>
  readonly isPeer: (channel: string, person: string) => Effect.Effect<boolean, StoreFailed>
  readonly letIn: (channel: string, peer: ChannelPeer) => Effect.Effect<void, StoreFailed>
  /** False where nobody of this number was let in. */
  readonly revoke: (channel: string, person: string) => Effect.Effect<boolean, StoreFailed>
  /** `hash` of a code. */
  readonly offer: (channel: string, hash: string, expiresAt: Timestamp) => Effect.Effect<void, StoreFailed>
  /** Takes the offer: true once, and before it expires. */
  readonly take: (channel: string, hash: string, now: Timestamp) => Effect.Effect<boolean, StoreFailed>
  readonly withdraw: (channel: string) => Effect.Effect<void, StoreFailed>
}
