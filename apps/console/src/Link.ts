import { make, type RejoinClient } from "@rejoin/client/Client"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Effect, Predicate, Redacted, Result, Stream } from "effect"

/** A refusal in words: the server's own, with what to do about it. */
export class Refusal extends Error {
  readonly tag: string
  readonly hint: string | undefined
  constructor(error: unknown) {
    const field = (name: string) =>
      Predicate.hasProperty(error, name) && Predicate.isString(error[name]) ? error[name] : undefined
    const tag = field("_tag") ?? "Error"
    super(tag === "HttpClientError" ? "The server cannot be reached." : (field("message") ?? String(error)))
    this.tag = tag
    this.hint = field("hint")
  }
}

/** The way to the server: calls as promises that reject with a Refusal, and one stream of all events. */
export const makeLink = async (token: string) => {
  const client = await Effect.runPromise(make({ url: location.origin, token: Redacted.make(token) }))

  const call = async <A, E>(use: (client: RejoinClient) => Effect.Effect<A, E>): Promise<A> => {
    const result = await Effect.runPromise(Effect.result(use(client)))
    if (Result.isSuccess(result)) return result.success
    throw new Refusal(result.failure)
  }

  /**
   * Every event of every thread after `after`, over breaks of the connection, without gap or double. `connected` hears
   * how things stand. Ends only when `signal` does.
   */
  const follow = (
    after: number,
    onEvent: (event: RuntimeEvent) => void,
    connected: (is: boolean) => void,
    signal: AbortSignal
  ) => {
    let last = after
    const once = Effect.suspend(() => client.health.health()).pipe(
      Effect.tap(() => Effect.sync(() => connected(true))),
      Effect.andThen(
        Stream.runForEach(
          Stream.suspend(() => client.follow(undefined, last)),
          (event) =>
            Effect.sync(() => {
              if (event.position <= last) return
              last = event.position
              onEvent(event)
            })
        )
      ),
      Effect.ignore,
      Effect.andThen(Effect.sync(() => connected(false))),
      Effect.andThen(Effect.sleep("500 millis"))
    )
    void Effect.runPromise(Effect.forever(once), { signal }).catch(() => undefined)
  }

  return { call, follow, position: () => call((client) => client.position) }
}

export type Link = Awaited<ReturnType<typeof makeLink>>
