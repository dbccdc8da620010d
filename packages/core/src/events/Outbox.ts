import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"

interface Batch {
  readonly events: ReadonlyArray<RuntimeEvent>
  ready: boolean
}

/**
 * Committed events on their way to the readers: told in the order of their commits, and none before it is on the disk,
 * however many commits wait for that side by side.
 */
export class Outbox {
  private waiting: Array<Batch> = []
  private readonly publish: (events: ReadonlyArray<RuntimeEvent>) => void

  constructor(publish: (events: ReadonlyArray<RuntimeEvent>) => void) {
    this.publish = publish
  }

  /** Takes its place now; told once the returned function was called, and everything before it was told. */
  add(events: ReadonlyArray<RuntimeEvent>): () => void {
    const batch: Batch = { events, ready: false }
    this.waiting.push(batch)
    return () => {
      batch.ready = true
      const unready = this.waiting.findIndex(({ ready }) => !ready)
      const told = this.waiting.splice(0, unready < 0 ? this.waiting.length : unready)
      if (told.length > 0) this.publish(told.flatMap(({ events }) => events))
    }
  }
}
