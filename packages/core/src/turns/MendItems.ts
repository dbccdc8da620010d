import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { Item } from "@rejoin/contracts/Item"
import { Effect, Predicate } from "effect"
import type { ThreadStore } from "../store/ThreadStore.ts"

/** Deltas that no complete item followed are in the events only: the items get what had arrived of them. */
export const makeMendItems = (store: ThreadStore["Service"]) =>
  Effect.fnUntraced(function* (threadId: ThreadId, turnId: TurnId) {
    const open = (yield* store.listItems(threadId, { limit: 500 })).filter(
      (item) => item.turnId === turnId && item.status === "started"
    )
    if (open.length === 0) return
    const mended = new Map<string, Item>(open.map((item) => [item.id, { ...item, status: "failed" }]))
    let after = 0
    while (true) {
      const events = yield* store.readEvents({ threadId, afterSeq: after }, 1000)
      for (const event of events) {
        after = event.seq
        const item = event.itemId && mended.get(event.itemId)
        if (!item || event.type !== "item.updated") continue
        if (!Predicate.hasProperty(event.data, "delta") || !Predicate.hasProperty(event.data, "field"))
          continue
        const field = event.data.field === "output" ? "output" : "text"
        mended.set(item.id, { ...item, [field]: `${item[field] ?? ""}${String(event.data.delta)}` })
      }
      if (events.length === 0) break
    }
    yield* store.saveItems([...mended.values()].map((item) => ({ threadId, item })))
  })
