import { Deferred, Effect } from "effect"

/** What we asked an agent that answers by lines, under ids of ours, and who waits for it. */
export class OpenCalls<Refusal> {
  private readonly waiting = new Map<string, Deferred.Deferred<unknown, Refusal>>()
  private readonly outstanding = new Set<string>()

  /** Whether anything is not answered yet, though nobody may wait for it any more. */
  get owes(): boolean {
    return this.outstanding.size > 0
  }

  /** Asks, and waits for the answer or for the end of the agent. */
  ask<E>(id: string, send: () => void, gone: Effect.Effect<never, E>): Effect.Effect<unknown, Refusal | E> {
    return Effect.suspend(() => {
      const answer = Deferred.makeUnsafe<unknown, Refusal>()
      this.waiting.set(id, answer)
      this.outstanding.add(id)
      send()
      return Effect.raceFirst(Deferred.await(answer), gone).pipe(
        Effect.ensuring(Effect.sync(() => this.waiting.delete(id)))
      )
    })
  }

  /** False where the id is none of ours. */
  answer(id: string, answer: Effect.Effect<unknown, Refusal>): boolean {
    this.outstanding.delete(id)
    const waiting = this.waiting.get(id)
    if (waiting === undefined) return false
    this.waiting.delete(id)
    return Deferred.doneUnsafe(waiting, answer)
  }
}
