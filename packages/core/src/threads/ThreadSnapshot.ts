import type { ThreadId } from "@rejoin/contracts/Ids"
import type { Item } from "@rejoin/contracts/Item"
import type { PendingRequest } from "@rejoin/contracts/Request"
import type { Thread } from "@rejoin/contracts/Thread"
import { Effect, Option } from "effect"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import { threadNotFound } from "../sessions/SessionDirectory.ts"
import type { ThreadRecord } from "../store/Records.ts"
import { alone } from "../store/Ownership.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { threadView } from "./ThreadView.ts"

export interface Snapshot {
  readonly thread: Thread
  readonly requests: ReadonlyArray<PendingRequest>
  readonly items: ReadonlyArray<Item>
}

/** How threads are seen: what the store has of them, and what happens in them at this moment. */
export const makeSnapshots = Effect.gen(function* () {
  const store = yield* ThreadStore
  const events = yield* ThreadEvents
  const sessions = yield* LiveSessions

  const record = Effect.fn("Threads.record")(function* (id: ThreadId) {
    const found = yield* store.getThread(id)
    return Option.isSome(found) ? found.value : yield* threadNotFound(id)
  })

  const view = Effect.fnUntraced(function* (thread: ThreadRecord) {
    return threadView(thread, {
      binding: Option.getOrThrow(yield* store.getBinding(thread.id)),
      waiting: (yield* store.listRequests(thread.id)).length,
      until: (yield* store.deferredTurns({ threadId: thread.id }))[0]?.notBefore,
      // One that cannot be read hides no thread.
      copy: Option.getOrUndefined(
        yield* Effect.orElseSucceed(store.transcripts.get(thread.id), () => Option.none())
      ),
      live: sessions.get(thread.id),
      elsewhere: store.ownership !== alone,
      starting: sessions.isStarting(thread.id)
    })
  })

  /** The items of a running turn as far as they have come, which the store does not have yet. */
  const streaming = (id: ThreadId) => new Map(sessions.get(id)?.turn?.items)

  const items = Effect.fn("Threads.items")(function* (
    id: ThreadId,
    { before, limit }: { readonly before?: string | undefined; readonly limit: number }
  ) {
    yield* record(id)
    return yield* events.read(
      () => streaming(id),
      (running) =>
        Effect.map(store.listItems(id, { before: before as Item["id"] | undefined, limit }), (items) =>
          items.map((item) => running.get(item.id) ?? item)
        )
    )
  })

  const snapshot = Effect.fn("Threads.snapshot")(function* (id: ThreadId, limit: number) {
    return yield* events.read(
      () => streaming(id),
      (running) =>
        Effect.gen(function* () {
          const thread = yield* Effect.flatMap(record(id), view)
          const requests = yield* store.listRequests(id)
          const items = yield* store.listItems(id, { limit })
          return { thread, requests, items: items.map((item) => running.get(item.id) ?? item) }
        })
    )
  })

  return { record, view, items, snapshot }
})
