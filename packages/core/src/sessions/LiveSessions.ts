import type { DirectoryMismatch, PermissionMismatch, StoreFailed } from "@rejoin/contracts/Errors"
import type { Failure } from "@rejoin/contracts/Failure"
import type { ItemId, ReceiptId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { Item } from "@rejoin/contracts/Item"
import {
  Context,
  Deferred,
  Effect,
  Exit,
  type Latch,
  Layer,
  type Option,
  Queue,
  Scope,
  Semaphore
} from "effect"
import type { Wanted } from "../plan/Plan.ts"
import type { AdapterSession, ProviderAdapterShape } from "../providers/ProviderAdapter.ts"
import { ThreadStore } from "../store/ThreadStore.ts"

export interface RunningTurn {
  readonly id: TurnId
  /** The items as they are so far: deltas are in the store only as events until an item is complete. */
  readonly items: Map<ItemId, Item>
  /** Its model put it off for too long: it is being ended, and this is why. */
  limit?: Failure
}

/** What the turn had begun: when it settles, an item that its provider did not complete has failed. */
export const openItems = ({ items }: RunningTurn): ReadonlyArray<Item> =>
  [...items.values()].filter(({ status }) => status === "started")

/** A live connection of a thread to its upstream conversation. */
export interface LiveSession {
  readonly threadId: ThreadId
  readonly generation: number
  readonly adapter: ProviderAdapterShape
  readonly session: AdapterSession
  readonly scope: Scope.Closeable
  readonly closed: Deferred.Deferred<void>
  /** Closed while a turn is dispatched, so that `turn.started` comes before what the turn does. */
  readonly gate: Latch.Latch
  wanted: Wanted
  /** What it has loaded of its directories. */
  readonly loads: string | null
  receiptId: ReceiptId
  turn: RunningTurn | undefined
  /** The turn that what comes late belongs to. */
  lastTurnId: TurnId | undefined
  /** It is over: nothing is sent on it any more. */
  ended: boolean
  /** It was found in another place or with other powers: nothing is sent on it any more, and it ends (laws 3, 4). */
  quarantine: DirectoryMismatch | PermissionMismatch | undefined
  closing: boolean
  /** For the reaper: whether anything happened since its last sweep, for how long nothing has (ms). */
  touched: boolean
  /** How much its adapter has told of it. */
  heard: number
  idle: number
  deferred: number
  /** For how long (ms) the running turn has been silent, and whether that was told. */
  quiet: number
  stalled: boolean
}

/** Whether nothing may be sent on it any more. */
export const isOver = ({ ended, quarantine }: LiveSession): boolean => ended || quarantine !== undefined

interface Entry {
  readonly lease: Semaphore.Semaphore
  users: number
  live: LiveSession | undefined
  /** Done when somebody wants the start that is under way to give up. */
  starting: { readonly signal: Deferred.Deferred<void>; readonly turnId: TurnId | undefined } | undefined
}

/**
 * The sessions that are alive, in an explicit map under one lease a thread (law 5). The lease covers starts,
 * dispatch and transitions, never a whole turn. Whoever has it runs the thread on this server (M2): where another server
 * does, it fails with `elsewhere`.
 */
export class LiveSessions extends Context.Service<
  LiveSessions,
  {
    readonly withLease: (
      threadId: ThreadId
    ) => <A, E, R>(body: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StoreFailed, R>
    /** As `withLease`, but none at once where the lease is held. */
    readonly ifFree: (
      threadId: ThreadId
    ) => <A, E, R>(body: Effect.Effect<A, E, R>) => Effect.Effect<Option.Option<A>, E | StoreFailed, R>
    readonly get: (threadId: ThreadId) => LiveSession | undefined
    readonly list: () => ReadonlyArray<LiveSession>
    readonly add: (live: LiveSession) => void
    /** Closes the session's scope once, and waits until it is closed. */
    readonly close: (live: LiveSession) => Effect.Effect<void>
    /** A scope for a session that is being started. */
    readonly scope: Effect.Effect<Scope.Closeable>
    readonly isStarting: (threadId: ThreadId) => boolean
    /** Runs a start that `preempt` interrupts: then it has undone its own, and this is `preempted`. */
    readonly preemptible: (
      threadId: ThreadId,
      turnId?: TurnId
    ) => <A, E, R>(start: Effect.Effect<A, E, R>) => Effect.Effect<A | "preempted", E, R>
    /** Gives the start up that is under way; with a turn, only one that is made for that turn. */
    readonly preempt: (threadId: ThreadId, turnId?: TurnId) => Effect.Effect<boolean>
    /** Threads on which there may be something to do. */
    readonly attention: Queue.Queue<ThreadId>
  }
>()("@rejoin/core/LiveSessions") {
  static readonly layer = Layer.effect(
    LiveSessions,
    Effect.gen(function* () {
      const parent = yield* Effect.scope
      const { ownership } = yield* ThreadStore
      const attention = yield* Queue.unbounded<ThreadId>()
      const entries = new Map<ThreadId, Entry>()

      const use = (threadId: ThreadId) => {
        const entry = entries.get(threadId) ?? {
          lease: Semaphore.makeUnsafe(1),
          users: 0,
          live: undefined,
          starting: undefined
        }
        entries.set(threadId, entry)
        entry.users++
        return entry
      }
      const release = (threadId: ThreadId, entry: Entry) => {
        entry.users--
        if (entry.users === 0 && entry.live === undefined) entries.delete(threadId)
      }
      const using =
        (threadId: ThreadId) =>
        <A, E, R>(body: (entry: Entry) => Effect.Effect<A, E, R>) =>
          Effect.acquireUseRelease(
            Effect.sync(() => use(threadId)),
            body,
            (entry) => Effect.sync(() => release(threadId, entry))
          )

      const close = Effect.fnUntraced(function* (live: LiveSession) {
        if (!live.closing) {
          live.closing = true
          yield* Scope.close(live.scope, Exit.void)
          // It stays in the map until then: nothing resumes beside a session that is still closing.
          const entry = entries.get(live.threadId)
          if (entry?.live === live) {
            entry.live = undefined
            if (entry.users === 0) entries.delete(live.threadId)
          }
          yield* Deferred.succeed(live.closed, undefined)
        }
        yield* Deferred.await(live.closed)
      }, Effect.uninterruptible)

      const owned = (threadId: ThreadId, entry: Entry) =>
        Effect.gen(function* () {
          if ((yield* ownership.claim(threadId)) === "held") return
          const { live } = entry
          // What lived here when the thread was another's is not its session.
          if (live !== undefined) {
            live.ended = true
            yield* close(live)
          }
          // What was under way there is to be settled, and what waits is to be run.
          yield* Queue.offer(attention, threadId)
        })

      return LiveSessions.of({
        withLease: (threadId) => (body) =>
          using(threadId)((entry) => entry.lease.withPermit(Effect.andThen(owned(threadId, entry), body))),
        ifFree: (threadId) => (body) =>
          using(threadId)((entry) =>
            entry.lease.withPermitsIfAvailable(1)(Effect.andThen(owned(threadId, entry), body))
          ),
        get: (threadId) => entries.get(threadId)?.live,
        list: () => [...entries.values()].flatMap(({ live }) => (live === undefined ? [] : [live])),
        add: (live) => {
          const entry = use(live.threadId)
          entry.live = live
          release(live.threadId, entry)
        },
        close,
        scope: Scope.fork(parent),
        isStarting: (threadId) => entries.get(threadId)?.starting !== undefined,
        preemptible: (threadId, turnId) => (start) =>
          using(threadId)((entry) =>
            Effect.suspend(() => {
              const signal = Deferred.makeUnsafe<void>()
              entry.starting = { signal, turnId }
              return Effect.raceFirst(start, Effect.as(Deferred.await(signal), "preempted" as const)).pipe(
                Effect.ensuring(
                  Effect.sync(() => {
                    entry.starting = undefined
                  })
                )
              )
            })
          ),
        preempt: (threadId, turnId) =>
          Effect.suspend(() => {
            const starting = entries.get(threadId)?.starting
            if (starting === undefined || (turnId !== undefined && starting.turnId !== turnId)) {
              return Effect.succeed(false)
            }
            return Deferred.succeed(starting.signal, undefined)
          }),
        attention
      })
    })
  )
}
