import type { CreateThread, SendTurn, UpdateThread } from "@rejoin/contracts/api/Requests"
import type { Receipt } from "@rejoin/contracts/Receipt"
import type { Answer } from "@rejoin/contracts/Request"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import type { Thread } from "@rejoin/contracts/Thread"
import type { Turn } from "@rejoin/contracts/Turn"
import { Effect, Redacted, Stream } from "effect"
import { make } from "./Client.ts"

/** For programs without Effect: the same calls as promises, which reject with the typed error (`_tag`, `message`). */
export class PromiseClient {
  private readonly client

  constructor(options: { readonly url: string; readonly token: string }) {
    this.client = Effect.runPromise(make({ url: options.url, token: Redacted.make(options.token) }))
  }

  async createThread(payload: CreateThread): Promise<Thread> {
    return Effect.runPromise((await this.client).threads.create({ payload }))
  }

  async getThread(id: string): Promise<Thread> {
    return Effect.runPromise((await this.client).threads.get({ params: { id } }))
  }

  async updateThread(id: string, payload: UpdateThread): Promise<Thread> {
    return Effect.runPromise((await this.client).threads.update({ params: { id }, payload }))
  }

  async send(id: string, payload: SendTurn): Promise<Turn> {
    return Effect.runPromise((await this.client).turns.send({ params: { id }, payload }))
  }

  /** The turn, once it is settled or `seconds` (at most 600) are over. */
  async wait(id: string, turnId: string, seconds = 600): Promise<Turn> {
    return Effect.runPromise(
      (await this.client).turns.get({ params: { id, turnId }, query: { wait: seconds } })
    )
  }

  async answer(id: string, requestId: string, payload: Answer): Promise<void> {
    return Effect.runPromise((await this.client).threads.answer({ params: { id, requestId }, payload }))
  }

  async move(id: string, cwd: string): Promise<Receipt> {
    return Effect.runPromise((await this.client).sessions.move({ params: { id }, payload: { cwd } }))
  }

  async interrupt(id: string): Promise<void> {
    return Effect.runPromise((await this.client).sessions.interrupt({ params: { id } }))
  }

  /** Events after `after`, of one thread or of all; ends with the connection. */
  async *follow(threadId: string | undefined, after: number): AsyncGenerator<RuntimeEvent> {
    yield* Stream.toAsyncIterable((await this.client).follow(threadId, after))
  }
}
