import type { ThreadId } from "@rejoin/contracts/Ids"
import { Predicate } from "effect"
import type { ItemRecord } from "../store/Records.ts"
import type { EventDraft } from "../store/ThreadStore.ts"

export interface Batch {
  readonly drafts: ReadonlyArray<EventDraft>
  readonly items: ReadonlyArray<ItemRecord>
}

export const withoutThreads = (batch: Batch, threads: ReadonlyMap<ThreadId, unknown>): Batch =>
  threads.size === 0
    ? batch
    : {
        drafts: batch.drafts.filter(({ threadId }) => !threads.has(threadId)),
        items: batch.items.filter(({ threadId }) => !threads.has(threadId))
      }

/** A delta of an item: what `item.updated` carries. */
export interface Delta {
  readonly field: "text" | "output"
  readonly delta: string
}

const isDelta = (data: unknown): data is Delta =>
  Predicate.hasProperty(data, "delta") && Predicate.hasProperty(data, "field")

const merged = (last: EventDraft | undefined, next: EventDraft): EventDraft | undefined =>
  last?.type === "item.updated" &&
  next.type === "item.updated" &&
  last.threadId === next.threadId &&
  last.itemId === next.itemId &&
  isDelta(last.data) &&
  isDelta(next.data) &&
  last.data.field === next.data.field
    ? { ...last, data: { field: last.data.field, delta: last.data.delta + next.data.delta } }
    : undefined

/** What waits for the next batch, in order. Deltas of one item in a row are one event. */
export class PendingEvents {
  private drafts: Array<EventDraft> = []
  private items = new Map<string, ItemRecord>()
  /** Where the last draft of each thread stands: threads interleave, and deltas merge within their own. */
  private last = new Map<string, number>()

  get size(): number {
    return this.drafts.length
  }

  get isFull(): boolean {
    return this.drafts.length >= 5000
  }

  add(draft: EventDraft, item?: ItemRecord): void {
    const at = this.last.get(draft.threadId)
    const together = at === undefined ? undefined : merged(this.drafts[at], draft)
    if (at !== undefined && together !== undefined) {
      this.drafts[at] = together
    } else {
      this.last.set(draft.threadId, this.drafts.push(draft) - 1)
    }
    if (item !== undefined) this.items.set(`${item.threadId}/${item.item.id}`, item)
  }

  take(): Batch {
    const batch = { drafts: this.drafts, items: [...this.items.values()] }
    this.drafts = []
    this.items = new Map()
    this.last = new Map()
    return batch
  }

  /** Before what has come since: for a batch that could not be written. */
  putBack(batch: Batch): void {
    const since = this.take()
    for (const draft of [...batch.drafts, ...since.drafts]) this.add(draft)
    for (const item of [...batch.items, ...since.items])
      this.items.set(`${item.threadId}/${item.item.id}`, item)
  }
}
