import type { ThreadId } from "@rejoin/contracts/Ids"

const capacity = 10_000

/** Who last wrote which file, of the sessions that are alive: two on one file are in each other's way (S21). */
export class SharedFiles {
  private readonly writers = new Map<string, ThreadId>()

  /** Notes the write. Returns the other live thread that wrote this file before, if there is one. */
  wrote(path: string, by: ThreadId, isAlive: (id: ThreadId) => boolean): ThreadId | undefined {
    const before = this.writers.get(path)
    this.writers.delete(path)
    this.writers.set(path, by)
    const [oldest] = this.writers.keys()
    if (this.writers.size > capacity && oldest !== undefined) this.writers.delete(oldest)
    return before !== undefined && before !== by && isAlive(before) ? before : undefined
  }
}
