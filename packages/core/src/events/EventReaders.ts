import type { ThreadId } from "@rejoin/contracts/Ids"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Deferred, Effect, Option, type Semaphore, Stream } from "effect"
import type { ThreadStore } from "../store/ThreadStore.ts"
import { makeTail } from "./EventTail.ts"
import { EventTopic } from "./EventTopic.ts"

/**
 * Those who follow events, of a thread or of all. What is published is kept for a while in memory; who is further
 * behind reads the store. `writer` is held while events are written and published.
 */
export const makeReaders = Effect.fnUntraced(function* (
  store: ThreadStore["Service"],
  writer: Semaphore.Semaphore,
  /** Is told of what comes from the store: all that other servers did, and some of what we did. */
  heard: (events: ReadonlyArray<RuntimeEvent>) => void
) {
  const last = yield* store.lastPosition
  const everything = new EventTopic((event) => event.position, last)
  const followed = new Map<ThreadId, { readonly topic: EventTopic; readers: number }>()

  const publish = (events: ReadonlyArray<RuntimeEvent>) => {
    if (events.length === 0) return
    everything.publish(events)
    for (const [threadId, { topic }] of followed) {
      const own = events.filter((event) => event.threadId === threadId)
      if (own.length > 0) topic.publish(own)
    }
  }

  const topicOf = Effect.fnUntraced(function* (threadId: ThreadId | undefined) {
    if (threadId === undefined) return everything
    // Under the writer's permit: of two who enter at once one does. Another server's events come meanwhile: so it is entered
    // first, and what is published while the last seq is read is kept.
    const entry = yield* writer.withPermit(
      Effect.gen(function* () {
        const existing = followed.get(threadId)
        if (existing !== undefined) return existing
        const entry = { topic: new EventTopic((event) => event.seq), readers: 0 }
        followed.set(threadId, entry)
        const thread = yield* Effect.onError(store.getThread(threadId), () =>
          Effect.sync(() => followed.delete(threadId))
        )
        entry.topic.begin(Option.match(thread, { onNone: () => 0, onSome: ({ lastSeq }) => lastSeq }))
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

  return { follow, tell: yield* makeTail(store, last, publish, heard) }
})

const gapBefore = (first: RuntimeEvent, after: number, key: number): RuntimeEvent => ({
  seq: first.seq - 1,
  position: first.position - 1,
  type: "events.gap",
  threadId: first.threadId,
  generation: first.generation,
  at: first.at,
  data: { from: after + 1, to: key - 1 }
})
