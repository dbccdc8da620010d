import type { CreateThread, SendTurn, UpdateThread } from "@rejoin/contracts/api/Requests"
import type { Receipt } from "@rejoin/contracts/Receipt"
import type { Answer } from "@rejoin/contracts/Request"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import type { Thread } from "@rejoin/contracts/Thread"
import type { Turn } from "@rejoin/contracts/Turn"
import { Effect, Redacted, Stream } from "effect"
import { ask } from "./Asking.ts"
import { make, type RejoinApi, type RejoinClient } from "./Client.ts"
import type { Plain, PromisedApi } from "./Plain.ts"
import { type Address, runningServer } from "./RunningServer.ts"

interface Refusal {
  readonly _tag: string
}
type Operations = Readonly<Record<string, (request: unknown) => Effect.Effect<unknown, Refusal>>>

/**
 * For programs without Effect: every operation as a promise, which rejects with the typed error (`_tag`, `message`), and
 * takes plain strings. Ids and names are those of the API.
 */
export class PromiseClient {
  private address: Promise<Address>
  private client: Promise<RejoinClient> | undefined
  private readonly find: () => Promise<Address>

  /** On the server that is named; without one, on the one that works on REJOIN_HOME, wherever it listens by then. */
  constructor(options: Address | { readonly home?: string } = {}) {
    this.find = "url" in options ? () => Promise.resolve(options) : () => runningServer(options.home)
    this.address = this.find()
    // It is told by the first call.
    this.address.catch(() => undefined)
  }

  private open(): Promise<RejoinClient> {
    this.client ??= this.address.then(({ token, url }) =>
      Effect.runPromise(make({ url, token: Redacted.make(token) }))
    )
    return this.client
  }

  private async run<A>(call: (client: RejoinClient) => Effect.Effect<A, Refusal>): Promise<A> {
    try {
      return await Effect.runPromise(call(await this.open()))
    } catch (cause) {
      // A server that was started again may listen elsewhere.
      const tag = typeof cause === "object" && cause !== null && "_tag" in cause ? cause._tag : undefined
      if (tag === "HttpClientError" || tag === "NoServer") {
        this.client = undefined
        this.address = this.find()
        this.address.catch(() => undefined)
      }
      throw cause
    }
  }

  /** Every operation of the API by its group and name: `client.api.threads.fork({ params: { id }, payload: {} })`. */
  readonly api: PromisedApi<RejoinApi> = new Proxy(
    {},
    {
      get: (_, group) =>
        new Proxy(
          {},
          {
            get: (_, name) => (request: unknown) =>
              this.run((client) => {
                const calls = client[group as keyof RejoinApi] as unknown as Operations | undefined
                const call = calls?.[String(name)]
                return call === undefined
                  ? Effect.die(new TypeError(`There is no operation ${String(group)}.${String(name)}.`))
                  : call(request)
              })
          }
        )
    }
  ) as PromisedApi<RejoinApi>

  /**
   * Says something in a thread, and gives the answer as it comes: `for await (const text of client.ask(id, "…"))`. Goes on
   * over breaks of the connection and restarts of the server. Throws where the turn does not complete.
   */
  ask(id: string, input: string, options: Omit<Plain<SendTurn>, "input"> = {}) {
    return ask(
      {
        lastSeq: async () => (await this.getThread(id)).lastSeq,
        send: (payload) => this.send(id, payload),
        get: (turnId) => this.wait(id, turnId, 0),
        follow: (after) => this.follow(id, after)
      },
      input,
      options
    )
  }

  createThread(payload: Plain<CreateThread>): Promise<Thread> {
    return this.api.threads.create({ payload })
  }

  getThread(id: string): Promise<Thread> {
    return this.api.threads.get({ params: { id } })
  }

  updateThread(id: string, payload: Plain<UpdateThread>): Promise<Thread> {
    return this.api.threads.update({ params: { id }, payload })
  }

  send(id: string, payload: Plain<SendTurn>): Promise<Turn> {
    return this.api.turns.send({ params: { id }, payload })
  }

  /** The turn, once it is settled or `seconds` (at most 600) are over. */
  wait(id: string, turnId: string, seconds = 600): Promise<Turn> {
    return this.api.turns.get({ params: { id, turnId }, query: seconds === 0 ? {} : { wait: seconds } })
  }

  answer(id: string, requestId: string, payload: Plain<Answer>): Promise<void> {
    return this.run((client) => client.threads.answer({ params: { id, requestId }, payload }))
  }

  move(id: string, cwd: string): Promise<Receipt> {
    return this.api.sessions.move({ params: { id }, payload: { cwd } })
  }

  interrupt(id: string): Promise<void> {
    return this.run((client) => client.sessions.interrupt({ params: { id } }))
  }

  /** Events after `after`, of one thread or of all; ends with the connection. */
  async *follow(threadId: string | undefined, after: number): AsyncGenerator<RuntimeEvent> {
    yield* Stream.toAsyncIterable((await this.open()).follow(threadId, after))
  }
}
