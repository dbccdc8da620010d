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
  private recent: ReadonlyArray<RuntimeEvent> = []
  private change = Deferred.makeUnsafe<void>()

  constructor(key: (event: RuntimeEvent) => number, last: number, capacity = 1024) {
    this.key = key
    this.floor = last
    this.capacity = capacity
  }

  publish(events: ReadonlyArray<RuntimeEvent>): void {
    const all = [...this.recent, ...events]
    const dropped = all.length - this.capacity
    this.recent = dropped > 0 ? all.slice(dropped) : all
    const last = all[dropped - 1]
    if (last !== undefined) this.floor = this.key(last)
    const { change } = this
    this.change = Deferred.makeUnsafe<void>()
    Deferred.doneUnsafe(change, Effect.void)
  }

  /** Every event with a greater key is here. */
  get oldest(): number {
    return this.floor
  }

  /** What came after, or `behind` where that is no longer all here. */
  since(after: number): ReadonlyArray<RuntimeEvent> | "behind" {
    return after < this.floor ? "behind" : this.recent.filter((event) => this.key(event) > after)
  }

  /** Done at the next publish. Take it before `since`, so that nothing comes between the two. */
  get changed(): Deferred.Deferred<void> {
    return this.change
  }
}
