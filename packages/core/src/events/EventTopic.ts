import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Deferred, Effect } from "effect"

/**
 * The newest events of one stream, for readers who keep up. Its memory is bounded: who falls behind it reads from
 * the store (S20).
 */
export class EventTopic {
  readonly key: (event: RuntimeEvent) => number
  readonly capacity: number
  private floor: number
  private recent: Array<RuntimeEvent> = []
  private change = Deferred.makeUnsafe<void>()

  constructor(key: (event: RuntimeEvent) => number, last = 0, capacity = 1024) {
    this.key = key
    this.floor = last
    this.capacity = capacity
  }

  /** The store has all up to here. What has been published since stays. */
  begin(last: number): void {
    this.floor = last
    this.recent = this.recent.filter((event) => this.key(event) > last)
  }

  publish(events: ReadonlyArray<RuntimeEvent>): void {
    for (const event of events) this.recent.push(event)
    // Not at every publish: then each would cost as much as is kept.
    if (this.recent.length > this.capacity * 2) {
      const dropped = this.recent.splice(0, this.recent.length - this.capacity).at(-1)
      if (dropped !== undefined) this.floor = this.key(dropped)
    }
    const { change } = this
    this.change = Deferred.makeUnsafe<void>()
    Deferred.doneUnsafe(change, Effect.void)
  }

  /** Every event with a greater key is here. */
  get oldest(): number {
    return this.floor
  }

  /** What came after, or `behind` where that is no longer all here. Costs what came, however much is kept. */
  since(after: number): ReadonlyArray<RuntimeEvent> | "behind" {
    if (after < this.floor) return "behind"
    const first = this.recent.findLastIndex((event) => this.key(event) <= after) + 1
    return this.recent.slice(first)
  }

  /** Done at the next publish. Take it before `since`, so that nothing comes between the two. */
  get changed(): Deferred.Deferred<void> {
    return this.change
  }
}
