import type { StoreFailed } from "@rejoin/contracts/Errors"
import type { ItemId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { RuntimeEvent, RuntimeEventType } from "@rejoin/contracts/RuntimeEvent"
import { now } from "@rejoin/contracts/Time"
import { Context, Deferred, Effect, Layer, Metric, Queue, Semaphore, type Stream } from "effect"
import * as CoreMetrics from "../CoreMetrics.ts"
import { makeReaders } from "./EventReaders.ts"
import { Outbox } from "./Outbox.ts"
import { type Batch, PendingEvents, withoutThreads } from "./PendingEvents.ts"
import { nothingElsewhere, runElsewhere } from "../store/Ownership.ts"
import type { ItemRecord } from "../store/Records.ts"
import { Settings } from "../Settings.ts"
import { type EventDraft, ThreadStore } from "../store/ThreadStore.ts"
import { whileAway } from "../store/WhileAway.ts"

export interface NewEvent {
  readonly type: RuntimeEventType
  /** Of a thread that goes with this event: its number cannot be looked up any more. */
  readonly seq?: number
  readonly turnId?: TurnId | undefined
  readonly itemId?: ItemId | undefined
  readonly data?: unknown
}

/** What another server's events say that its owner is to look at. */
const changesQueue = new Set<RuntimeEventType>(["turn.accepted", "turn.updated"])

/** Adds an event to the transaction that is being written. */
export type Emit = (event: NewEvent) => void

/** Which thread an event is about, and in which generation it happened. */
export interface Origin {
  readonly threadId: ThreadId
  readonly generation: number
}

export interface Transacting {
  /** It is on the disk with the next one that waits for that, not before it is told. */
  readonly durable?: "soon"
  /** Without it only the server that runs the thread may, and another one fails with `elsewhere`. */
  readonly by?: "anyone"
}

interface Writing {
  /** The thread that is written, beside those of which events are buffered. */
  readonly of?: ThreadId
  readonly by?: "anyone" | undefined
  /** What is waited for before it is told. */
  readonly durable?: Effect.Effect<void, StoreFailed> | undefined
  /** Called when what was buffered is taken. */
  readonly moment?: () => void
}

/**
 * The history of what happened, written before it is seen: commit, then publish. `seq` strictly increases within a
 * thread, `position` over all. A reader that is slow costs no memory and blocks nobody.
 */
export class ThreadEvents extends Context.Service<
  ThreadEvents,
  {
    /**
     * Runs `body` in one transaction with the events that it emits, and publishes them once it is committed; nobody
     * else writes the thread meanwhile, on this server or another one. What was buffered before comes first.
     * Transactions run one at a time: no provider is called inside one, nor another `transact`. It is on the disk before
     * it is told.
     */
    readonly transact: <A, E, R>(
      origin: Origin,
      body: (emit: Emit) => Effect.Effect<A, E, R>,
      options?: Transacting
    ) => Effect.Effect<A, E | StoreFailed, R>
    /**
     * Writes an event with the next batch, within `mergeDeltas`; deltas of one item in a row become one. Waits
     * where the batch is full. What is told of a thread that is run elsewhere by then is written nowhere.
     */
    readonly emit: (
      origin: Origin,
      event: NewEvent,
      options?: {
        readonly item?: ItemRecord
        /** Changes what is kept of it in memory, in the very moment in which the event is buffered. */
        readonly apply?: () => void
      }
    ) => Effect.Effect<void>
    /**
     * What `moment` sees, and what `body` reads after all that was buffered in that moment is written: the two are of
     * one instant, and events with a later `seq` go on from it.
     */
    readonly read: <M, A, E, R>(
      moment: () => M,
      body: (seen: M) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | StoreFailed, R>
    /** Writes what is buffered now. */
    readonly flush: Effect.Effect<void, StoreFailed>
    /** Threads that were written here and are run elsewhere by now, whenever that is found. For one who takes them. */
    readonly lost: Queue.Dequeue<ThreadId>
    /** Threads in whose queue another server has changed something. For one who takes them. */
    readonly queued: Queue.Dequeue<ThreadId>
    /**
     * All events after `after` (a seq, or a position for all threads), without end. A range that is no longer
     * stored is told as one `events.gap`.
     */
    readonly follow: (
      threadId: ThreadId | undefined,
      after: number
    ) => Stream.Stream<RuntimeEvent, StoreFailed>
  }
>()("@rejoin/core/ThreadEvents") {
  static readonly layer = Layer.effect(
    ThreadEvents,
    Effect.gen(function* () {
      const store = yield* ThreadStore
      const settings = yield* Settings
      const writer = Semaphore.makeUnsafe(1)
      const pending = new PendingEvents()
      const lost = yield* Queue.unbounded<ThreadId>()
      const queued = yield* Queue.unbounded<ThreadId>()
      const { follow, tell } = yield* makeReaders(store, writer, (events) => {
        for (const { threadId, type } of events)
          if (changesQueue.has(type)) Queue.offerUnsafe(queued, threadId)
      })
      const outbox = new Outbox(tell)
      let dirty = Deferred.makeUnsafe<void>()

      /** What was buffered of threads that are run elsewhere by now is not written: their session here is to end. */
      const leave = ({ drafts }: Batch, elsewhere: ReadonlyMap<ThreadId, string>, of: ThreadId | undefined) =>
        Effect.forEach(
          elsewhere,
          ([id, machine]) => {
            const unwritten = drafts.filter(({ threadId }) => threadId === id).length
            if (unwritten === 0 && id !== of) return Effect.void
            const dropped =
              unwritten === 0 ? "" : ` What was told of it since (${unwritten}) is written nowhere.`
            return Effect.andThen(
              Effect.logWarning(`The machine ${machine} runs the thread ${id} by now.${dropped}`),
              Queue.offer(lost, id)
            )
          },
          { discard: true }
        )

      const write = <A, E, R>(
        body: (emit: (draft: EventDraft) => void) => Effect.Effect<A, E, R>,
        { by, durable, moment, of }: Writing = {}
      ) =>
        Effect.uninterruptibleMask((restore) =>
          writer
            .withPermit(
              Effect.gen(function* () {
                const buffered = pending.take()
                moment?.()
                const drafts: Array<EventDraft> = []
                let elsewhere = nothingElsewhere
                const [result, events] = yield* store
                  .transaction(
                    Effect.gen(function* () {
                      // Another server may write the same threads: what is read from here on is what is changed.
                      const told = buffered.drafts.map(({ threadId }) => threadId)
                      elsewhere = yield* store.lock(of === undefined ? told : [of, ...told])
                      const machine = of && elsewhere.get(of)
                      if (of && machine && by === undefined) return yield* runElsewhere(of, machine)
                      const { drafts: ours, items } = withoutThreads(buffered, elsewhere)
                      // Before the body: what that reads has what was buffered, and the number of its last event.
                      if (items.length > 0) yield* store.saveItems(items)
                      const earlier = yield* store.appendEvents(ours)
                      const result = yield* restore(body((draft) => drafts.push(draft)))
                      return [result, [...earlier, ...(yield* store.appendEvents(drafts))]] as const
                    })
                  )
                  .pipe(
                    Effect.onError(() =>
                      Effect.sync(() => {
                        pending.putBack(buffered)
                        Deferred.doneUnsafe(dirty, Effect.void)
                      })
                    ),
                    Effect.ensuring(
                      Effect.suspend(() => leave(buffered, elsewhere, by === undefined ? of : undefined))
                    )
                  )
                yield* Metric.update(CoreMetrics.events, events.length)
                const tell = outbox.add(events)
                if (durable === undefined) tell()
                return { result, tell }
              })
            )
            .pipe(
              Effect.tap(({ tell }) =>
                durable === undefined
                  ? Effect.void
                  : // Others write while this one waits for the disk. Whoever hears of it comes after us all the same.
                    Effect.ensuring(durable, writer.withPermit(Effect.sync(tell)))
              ),
              Effect.map(({ result }) => result)
            )
        )

      const flush = Effect.suspend(() => (pending.size === 0 ? Effect.void : write(() => Effect.void)))

      // The batch: from the first buffered event on, what comes within `mergeDeltas`.
      yield* Effect.suspend(() => Deferred.await(dirty)).pipe(
        Effect.andThen(Effect.sleep(settings.mergeDeltas)),
        Effect.andThen(
          Effect.suspend(() => {
            dirty = Deferred.makeUnsafe()
            return flush
          })
        ),
        Effect.catch((error) =>
          Effect.logError("Events could not be written; they are kept and tried again.", error).pipe(
            Effect.tap(() => Effect.sync(() => Deferred.doneUnsafe(dirty, Effect.void))),
            Effect.delay("1 second")
          )
        ),
        Effect.forever,
        Effect.forkScoped
      )
      yield* Effect.addFinalizer(() => Effect.ignore(flush))

      const draft = (
        origin: Origin,
        { type, seq, turnId, itemId, data }: NewEvent,
        at: EventDraft["at"]
      ): EventDraft => ({
        type,
        threadId: origin.threadId,
        generation: origin.generation,
        at,
        data: data ?? {},
        ...(seq !== undefined && { seq }),
        ...(turnId && { turnId }),
        ...(itemId && { itemId })
      })

      return ThreadEvents.of({
        transact: (origin, body, { by, durable } = {}) =>
          Effect.flatMap(now, (at) =>
            write((emit) => body((event) => emit(draft(origin, event, at))), {
              of: origin.threadId,
              by,
              durable: durable === "soon" ? undefined : store.durable
            })
          ),
        read: <M, A, E, R>(moment: () => M, body: (seen: M) => Effect.Effect<A, E, R>) =>
          Effect.suspend(() => {
            const seen: Array<M> = []
            return write(() => Effect.suspend(() => body(seen[0] as M)), {
              moment: () => void seen.push(moment())
            })
          }),
        emit: Effect.fnUntraced(function* (origin, event, { apply, item } = {}) {
          const at = yield* now
          apply?.()
          pending.add(draft(origin, event, at), item)
          Deferred.doneUnsafe(dirty, Effect.void)
          if (pending.isFull) yield* Effect.ignore(whileAway(flush))
        }),
        flush,
        lost,
        queued,
        follow
      })
    })
  )
}
