import type { SessionHeldElsewhere, StaleGeneration, StoreFailed } from "@rejoin/contracts/Errors"
import type { ItemId, MessageId, ReceiptId, RequestId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { Item } from "@rejoin/contracts/Item"
import type { Receipt } from "@rejoin/contracts/Receipt"
import type { PendingRequest } from "@rejoin/contracts/Request"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import type { ThreadKey } from "@rejoin/contracts/Thread"
import type { Timestamp } from "@rejoin/contracts/Time"
import type { TrustedDirectory } from "@rejoin/contracts/Trust"
import { Context, type Effect, type Option, type Stream } from "effect"
import type { Ownership } from "./Ownership.ts"
import type { RuleStore } from "./RuleStore.ts"
import type { SearchStore } from "./SearchStore.ts"
import type { TranscriptStore } from "./TranscriptStore.ts"
import type { Binding, ItemRecord, LineageEntry, StartIntent, ThreadRecord, TurnRecord } from "./Records.ts"

export interface Page {
  /** Exclusive; absent for the first page. */
  readonly after?: string | undefined
  readonly limit: number
}

/** What an attachment holds, in base64, and its hash. */
export interface Blob {
  readonly hash: string
  readonly data: string
}

/** `seq` stands only in what tells that its thread is gone. */
export type EventDraft = Omit<RuntimeEvent, "seq" | "position"> & { readonly seq?: number }

type Stored<A> = Effect.Effect<A, StoreFailed>

/**
 * The one port to durable state. Lists are in the order of creation unless said otherwise. Every write survives our end
 * when it returns, or, within `transaction`, when that returns; a loss of power it survives once `durable` was waited for.
 */
export class ThreadStore extends Context.Service<
  ThreadStore,
  {
    /** All or nothing. Inner transactions are savepoints. No provider is called inside one. */
    readonly transaction: <A, E, R>(body: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StoreFailed, R>

    /**
     * Within a transaction, and first of all in it: until that ends no other server changes these threads or what hangs on
     * them, nor does one become another's. What was read before it may be out of date by then. Returns those of them that
     * are not run here, and where they are.
     */
    readonly lock: (ids: Iterable<ThreadId>) => Stored<ReadonlyMap<ThreadId, string>>

    /** What was written before is on the disk when it returns. Not within a transaction. */
    readonly durable: Stored<void>

    readonly insertThread: (thread: ThreadRecord, binding: Binding) => Stored<void>
    readonly getThread: (id: ThreadId) => Stored<Option.Option<ThreadRecord>>
    readonly findThread: (key: ThreadKey) => Stored<Option.Option<ThreadRecord>>
    /** Newest first: on the first page stands what was begun last. With `kept` those that have something to purge. */
    readonly listThreads: (
      page: Page & { readonly project?: string | undefined; readonly kept?: true }
    ) => Stored<ReadonlyArray<ThreadRecord>>
    /** All but `lastSeq`, which belongs to `appendEvents`, and `createdAt`, which stays (T7). */
    readonly saveThread: (thread: ThreadRecord) => Stored<void>
    /** Removes its events, its transcript and what its attachments hold; everything else stays, and `seq` goes on. */
    readonly purgeThread: (id: ThreadId) => Stored<void>
    /** With all that hangs on it. */
    readonly deleteThread: (id: ThreadId) => Stored<void>

    /** The thread that is bound to this session of the agent's. */
    readonly findSession: (
      session: Pick<Binding, "driver" | "storeId" | "providerSessionId">
    ) => Stored<Option.Option<ThreadId>>
    readonly getBinding: (id: ThreadId) => Stored<Option.Option<Binding>>
    /** Those that are open in a terminal. Costs what is. */
    readonly listTerminals: Stored<ReadonlyArray<Binding>>
    /** Whatever looks alive here is `stopped`: for a start of the server, when nothing is. Costs what looks alive. */
    readonly stopBindings: Stored<void>
    /** Adds one to the stored generation and returns the new one. */
    readonly nextGeneration: (id: ThreadId) => Stored<number>
    /**
     * Refuses with StaleGeneration where the stored generation is not the binding's, and with SessionHeldElsewhere
     * where another thread has this (driver, storeId, providerSessionId). `createdAt` stays.
     */
    readonly saveBinding: (
      binding: Binding
    ) => Effect.Effect<void, StoreFailed | StaleGeneration | SessionHeldElsewhere>

    readonly addLineage: (entry: LineageEntry) => Stored<void>
    readonly listLineage: (id: ThreadId) => Stored<ReadonlyArray<LineageEntry>>

    /** Inserts or replaces by (threadId, generation). */
    readonly saveIntent: (intent: StartIntent) => Stored<void>
    readonly deleteIntent: (intent: Pick<StartIntent, "threadId" | "generation">) => Stored<void>
    /** Of one thread, or of all that are run here. */
    readonly listIntents: (of: ThreadId | "ours") => Stored<ReadonlyArray<StartIntent>>

    readonly saveTurn: (turn: TurnRecord) => Stored<void>
    /** Puts the thread's `openTurns` behind all others, in their order or in this one. */
    readonly openTurnsLast: (threadId: ThreadId, order?: ReadonlyArray<TurnId>) => Stored<void>
    readonly getTurn: (id: TurnId) => Stored<Option.Option<TurnRecord>>
    /** Also finds the turn that a steer with this key joined. */
    readonly findTurn: (threadId: ThreadId, idempotencyKey: string) => Stored<Option.Option<TurnRecord>>
    /** The newest turn whose own message, not a steer, has this id upstream. */
    readonly findMessage: (threadId: ThreadId, messageId: MessageId) => Stored<Option.Option<TurnRecord>>
    readonly listTurns: (threadId: ThreadId, page: Page) => Stored<ReadonlyArray<TurnRecord>>
    /** Turns that have not settled and do not wait for their time: of one thread, of those that are run here, or of all. */
    readonly openTurns: (of: ThreadId | "ours" | "all") => Stored<ReadonlyArray<TurnRecord>>

    /** Turns that wait for their time, the first to begin first: of one thread, those whose time has come, or all. */
    readonly deferredTurns: (
      of: { readonly threadId: ThreadId } | { readonly until: Timestamp } | "all"
    ) => Stored<ReadonlyArray<TurnRecord>>
    /** When the first of all turns that wait for their time begins. */
    readonly nextDue: Stored<Option.Option<Timestamp>>

    /** What the attachments of a turn hold, by hash; once each, however many turns have it. */
    readonly saveBlobs: (turnId: TurnId, blobs: ReadonlyArray<Blob>) => Stored<void>
    readonly getBlob: (hash: string) => Stored<Option.Option<string>>

    /**
     * Gives each its seq and position and returns them in order. `thread.deleted` outlives its thread, of which nothing
     * else can be told any more.
     */
    readonly appendEvents: (events: ReadonlyArray<EventDraft>) => Stored<ReadonlyArray<RuntimeEvent>>
    readonly readEvents: (
      from: { readonly threadId: ThreadId; readonly afterSeq: number } | { readonly afterPosition: number },
      limit: number
    ) => Stored<ReadonlyArray<RuntimeEvent>>
    readonly lastPosition: Stored<number>
    /**
     * Positions that were committed, by this server or another one on the same database, as that is told; now and then one
     * that may have been. Never anything where there is no other.
     */
    readonly heard: Stream.Stream<number>

    /** Inserts or replaces by (threadId, item id). */
    readonly saveItems: (items: ReadonlyArray<ItemRecord>) => Stored<void>
    /** The last ones before `before`, or the first ones after `after` (null: from the beginning); oldest first. */
    readonly listItems: (
      threadId: ThreadId,
      page: ({ readonly before?: ItemId | undefined } | { readonly after: ItemId | null }) & {
        readonly limit: number
      }
    ) => Stored<ReadonlyArray<Item>>

    readonly saveRequest: (request: PendingRequest) => Stored<void>
    readonly deleteRequest: (threadId: ThreadId, id: RequestId) => Stored<void>
    readonly listRequests: (threadId: ThreadId) => Stored<ReadonlyArray<PendingRequest>>
    /** Of those that are run here, in which a request is pending. */
    readonly threadsAsking: Stored<ReadonlyArray<ThreadId>>

    /** Inserts or replaces by id. */
    readonly saveReceipt: (receipt: Receipt) => Stored<void>
    readonly getReceipt: (id: ReceiptId) => Stored<Option.Option<Receipt>>
    /** Newest first, or `oldest` first. */
    readonly listReceipts: (
      threadId: ThreadId,
      page: Page & { readonly first?: "oldest" }
    ) => Stored<ReadonlyArray<Receipt>>

    readonly ownership: Ownership

    readonly transcripts: TranscriptStore

    readonly search: SearchStore

    readonly rules: RuleStore

    /** Inserts or replaces by path. */
    readonly saveTrusted: (directory: TrustedDirectory) => Stored<void>
    readonly getTrusted: (path: string) => Stored<Option.Option<TrustedDirectory>>
    readonly listTrusted: Stored<ReadonlyArray<TrustedDirectory>>
    readonly deleteTrusted: (path: string) => Stored<void>
  }
>()("@rejoin/core/ThreadStore") {}
