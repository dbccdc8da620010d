import type { StoreFailed } from "@rejoin/contracts/Errors"
import type { ItemId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { RuntimeEvent, RuntimeEventType } from "@rejoin/contracts/RuntimeEvent"
import { now } from "@rejoin/contracts/Time"
import { Context, Deferred, Effect, Layer, Metric, Option, Semaphore, Stream } from "effect"
import * as CoreMetrics from "../CoreMetrics.ts"
import { EventTopic } from "./EventTopic.ts"
import { PendingEvents } from "./PendingEvents.ts"
import type { ItemRecord } from "../store/Records.ts"
import { Settings } from "../Settings.ts"
import { type EventDraft, ThreadStore } from "../store/ThreadStore.ts"

export interface NewEvent {
  readonly type: RuntimeEventType
  /** Of a thread that goes with this event: its number cannot be looked up any more. */
  readonly seq?: number
  readonly turnId?: TurnId | undefined
  readonly itemId?: ItemId | undefined
  readonly data?: unknown
}

/** Adds an event to the transaction that is being written. */
export type Emit = (event: NewEvent) => void

/** Which thread an event is about, and in which generation it happened. */
export interface Origin {
  readonly threadId: ThreadId
  readonly generation: number
}

/**
 * The history of what happened, written before it is seen: commit, then publish. `seq` strictly increases within a
 * thread, `position` over all. A reader that is slow costs no memory and blocks nobody.
 */
export class ThreadEvents extends Context.Service<
  ThreadEvents,
  {
    /**
     * Runs `body` in one transaction with the events that it emits, and publishes them once it is committed. What
     * was buffered before comes first. Transactions run one at a time: no provider is called inside one, nor
     * another `transact`.
     */
    readonly transact: <A, E, R>(
      origin: Origin,
      body: (emit: Emit) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | StoreFailed, R>
    /**
     * Writes an event with the next batch, within `mergeDeltas`; deltas of one item in a row become one. Waits
     * where the batch is full.
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
      const everything = new EventTopic((event) => event.position, yield* store.lastPosition)
      const followed = new Map<ThreadId, { readonly topic: EventTopic; readers: number }>()
      let dirty = Deferred.makeUnsafe<void>()

      const publish = (events: ReadonlyArray<RuntimeEvent>) => {
        if (events.length === 0) return
        everything.publish(events)
        for (const [threadId, { topic }] of followed) {
          const own = events.filter((event) => event.threadId === threadId)
          if (own.length > 0) topic.publish(own)
        }
      }

      const write = <A, E, R>(
        body: (emit: (draft: EventDraft) => void) => Effect.Effect<A, E, R>,
        moment: () => void = () => {}
      ) =>
        Effect.uninterruptibleMask((restore) =>
          writer.withPermit(
            Effect.gen(function* () {
              const buffered = pending.take()
              moment()
              const drafts: Array<EventDraft> = []
              const [result, events] = yield* store
                .transaction(
                  Effect.gen(function* () {
                    // Before the body: what that reads has what was buffered, and the number of its last event.
                    if (buffered.items.length > 0) yield* store.saveItems(buffered.items)
                    const earlier = yield* store.appendEvents(buffered.drafts)
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
                  )
                )
              publish(events)
              yield* Metric.update(CoreMetrics.events, events.length)
              return result
            })
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

      const topicOf = Effect.fnUntraced(function* (threadId: ThreadId | undefined) {
        if (threadId === undefined) return everything
        // Under the writer's permit: nothing is published between the reading of the last seq and the entry.
        const entry = yield* writer.withPermit(
          Effect.gen(function* () {
            const existing = followed.get(threadId)
            if (existing !== undefined) return existing
            const thread = yield* store.getThread(threadId)
            const last = Option.match(thread, { onNone: () => 0, onSome: ({ lastSeq }) => lastSeq })
            const entry = { topic: new EventTopic((event) => event.seq, last), readers: 0 }
            followed.set(threadId, entry)
            return entry
          })
        )
        entry.readers++
        yield* Effect.addFinalizer(() =>
          Effect.sync(() => {
            entry.readers--
            if (entry.readers === 0 && followed.get(threadId) === entry) followed.delete(threadId)
          })
        )
        return entry.topic
      })

      const follow = (threadId: ThreadId | undefined, after: number) =>
        Stream.unwrap(
          Effect.map(topicOf(threadId), (topic) =>
            Stream.paginate(
              after,
              Effect.fnUntraced(function* (reached: number) {
                let after = reached
                while (true) {
                  const { changed } = topic
                  const recent = topic.since(after)
                  const events =
                    recent === "behind"
                      ? yield* store.readEvents(
                          threadId === undefined ? { afterPosition: after } : { threadId, afterSeq: after },
                          256
                        )
                      : recent
                  const first = events[0]
                  if (first !== undefined) {
                    const key = topic.key(first)
                    const gap = key > reached + 1 ? [gapBefore(first, reached, key)] : []
                    return [[...gap, ...events], Option.some(topic.key(events.at(-1) ?? first))] as const
                  }
                  // Behind, and the store has nothing either: what is missing was removed, and is told with what comes.
                  if (recent === "behind") after = topic.oldest
                  else yield* Deferred.await(changed)
                }
              })
            )
          )
        )

      return ThreadEvents.of({
        transact: (origin, body) =>
          Effect.flatMap(now, (at) => write((emit) => body((event) => emit(draft(origin, event, at))))),
        read: <M, A, E, R>(moment: () => M, body: (seen: M) => Effect.Effect<A, E, R>) =>
          Effect.suspend(() => {
            const seen: Array<M> = []
            return write(
              () => Effect.suspend(() => body(seen[0] as M)),
              () => void seen.push(moment())
            )
          }),
        emit: Effect.fnUntraced(function* (origin, event, { apply, item } = {}) {
          const at = yield* now
          apply?.()
          pending.add(draft(origin, event, at), item)
          Deferred.doneUnsafe(dirty, Effect.void)
          if (pending.isFull) yield* Effect.ignore(flush)
        }),
        flush,
        follow
      })
    })
  )
}

const gapBefore = (first: RuntimeEvent, after: number, key: number): RuntimeEvent => ({
  seq: first.seq - 1,
  position: first.position - 1,
  type: "events.gap",
  threadId: first.threadId,
  generation: first.generation,
  at: first.at,
  data: { from: after + 1, to: key - 1 }
})
