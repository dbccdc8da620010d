import type { Approval, UserInput } from "@rejoin/contracts/Request"
import { AdapterEvent } from "@rejoin/core/providers/AdapterEvent"

/** What an agent asked a session's user and waits for, each under the id by which it is answered. */
export class PendingAsks<Asked> {
  private readonly asked = new Map<string, Asked>()
  private readonly tell: (event: AdapterEvent) => void

  constructor(tell: (event: AdapterEvent) => void) {
    this.tell = tell
  }

  get isEmpty(): boolean {
    return this.asked.size === 0
  }

  get all(): ReadonlyArray<readonly [id: string, asked: Asked]> {
    return [...this.asked]
  }

  open(id: string, asked: Asked, ask: Approval | UserInput): void {
    this.asked.set(id, asked)
    this.tell(AdapterEvent.RequestOpened({ id, ask }))
  }

  /** Answered, by us or by somebody else, or not asked any more. What it was; nothing where that was told already. */
  close(id: string): Asked | undefined {
    const asked = this.asked.get(id)
    if (this.asked.delete(id)) this.tell(AdapterEvent.RequestResolved({ id }))
    return asked
  }
}
