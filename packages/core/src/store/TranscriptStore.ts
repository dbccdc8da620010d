import type { StoreFailed } from "@rejoin/contracts/Errors"
import { MessageId, ProviderSessionId, StoreId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { Timestamp } from "@rejoin/contracts/Time"
import { type Effect, type Option, Schema, type Stream } from "effect"

/** What is known of our copy of an agent's own record of one session. */
export const TranscriptHead = Schema.Struct({
  threadId: ThreadId,
  providerSessionId: ProviderSessionId,
  driver: Schema.String,
  agentVersion: Schema.NullOr(Schema.String),
  storeId: Schema.NullOr(StoreId),
  cwd: Schema.NullOr(Schema.String),
  /** When the first of it was taken. */
  startedAt: Timestamp,
  /** The last message of ours that is in it for certain. */
  mark: Schema.NullOr(MessageId),
  /** The turn of that message. */
  upToTurnId: Schema.NullOr(TurnId),
  /** Without compression. */
  bytes: Schema.Finite,
  /** Over all pieces, in their order (`hashOf`). */
  hash: Schema.String,
  /** Where the adapter goes on reading; its own. */
  position: Schema.Unknown,
  at: Timestamp
})
export type TranscriptHead = typeof TranscriptHead.Type

/** What a file of the agent's holds from this offset on, byte for byte. Its name is relative to the agent's store. */
export interface Piece {
  readonly file: string
  readonly from: number
  readonly data: Uint8Array
}

export type TranscriptFiles = ReadonlyMap<string, Uint8Array>

type Stored<A> = Effect.Effect<A, StoreFailed>

/** Our copies of the agents' own records: append-only, one a thread, of the session that it is bound to. */
export interface TranscriptStore {
  readonly get: (threadId: ThreadId) => Stored<Option.Option<TranscriptHead>>
  /**
   * Adds what is new to the copy whose hash is `after`, and the head that goes with it; with null in the place of what was
   * there. All or nothing: what was there stays until the new one is whole. Nothing where the thread is gone, or where the
   * copy is another one by now: two that copy at once do not write the same piece twice.
   */
  readonly append: (head: TranscriptHead, pieces: ReadonlyArray<Piece>, after: string | null) => Stored<void>
  /** In the order in which they were taken, one by one. */
  readonly pieces: (threadId: ThreadId) => Stream.Stream<Piece, StoreFailed>
  /** The files as they were taken. Fails where what is stored is not what was written. */
  readonly read: (threadId: ThreadId) => Stored<TranscriptFiles>
}
