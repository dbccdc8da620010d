import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Effect, Queue, Stream } from "effect"
import type { ThreadStore } from "../store/ThreadStore.ts"

const page = 500

/**
 * Publishes the events of all servers on one database, each once and in the order of their positions. Our own are published
 * as they are committed, where nothing of another server's comes between; the rest is read from the store, where each
 * position is there when a later one is.
 */
export const makeTail = Effect.fnUntraced(function* (
  store: ThreadStore["Service"],
  /** The position of the last event that was published. */
  begin: number,
  publish: (events: ReadonlyArray<RuntimeEvent>) => void,
  /** Is told of those that were read from the store, when they are published. */
  heard: (events: ReadonlyArray<RuntimeEvent>) => void = () => {}
) {
  let reached = begin
  const told = yield* Queue.sliding<void>(1)

  const advance = (events: ReadonlyArray<RuntimeEvent>) => {
    // What was published while they were read is among them.
    const news = events.filter(({ position }) => position > reached)
    const last = news.at(-1)
    if (last === undefined) return
    reached = last.position
    publish(news)
  }

  const catchUp = Effect.gen(function* () {
    for (;;) {
      const events = yield* store.readEvents({ afterPosition: reached }, page)
      advance(events)
      heard(events)
      if (events.length < page) return
    }
  })

  yield* Queue.take(told).pipe(
    Effect.andThen(catchUp),
    Effect.catchCause((cause) =>
      Effect.logWarning("What other servers did could not be read, and is read again.", cause).pipe(
        Effect.andThen(Queue.offer(told, undefined)),
        Effect.delay("1 second")
      )
    ),
    Effect.forever,
    Effect.forkScoped
  )
  yield* store.heard.pipe(
    Stream.runForEach((position) => (position > reached ? Queue.offer(told, undefined) : Effect.void)),
    Effect.forkScoped
  )

  return (events: ReadonlyArray<RuntimeEvent>): void => {
    // Another server's may stand between two batches of ours too.
    const whole = events.findIndex(({ position }, at) => position !== reached + 1 + at)
    advance(whole < 0 ? events : events.slice(0, whole))
    if (whole >= 0) Queue.offerUnsafe(told, undefined)
  }
})
