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
   * Every event of every thread after `after`, over breaks of the connection, without gap or double. Ends with `signal`,
   * and where the token is refused.
   */
  const follow = (
    after: number,
    hears: {
      readonly event: (event: RuntimeEvent) => void
      /** `anew`: the server has another past than the one that was followed; what is shown is to be asked for again. */
      readonly connected: (anew: boolean) => void
      readonly away: () => void
      readonly refused: () => void
    },
    signal: AbortSignal
  ) => {
    let last = after
    let before = true
    const once = Effect.gen(function* () {
      yield* client.threads.list({ query: { limit: 1 } })
      const position = yield* client.position
      // A database that was replaced, or restored from a copy, is behind us.
      const anew = position < last
      if (anew) last = position
      if (anew || !before) yield* Effect.sync(() => hears.connected(anew))
      before = true
      yield* Stream.runForEach(client.follow(undefined, last), (event) =>
        Effect.sync(() => {
          if (event.position <= last) return
          last = event.position
          hears.event(event)
        })
      )
    }).pipe(
      // With this token it is never heard again.
      Effect.catch((error) =>
        error._tag === "Unauthorized"
          ? Effect.andThen(Effect.sync(hears.refused), Effect.interrupt)
          : Effect.void
      ),
      Effect.andThen(
        Effect.sync(() => {
          before = false
          hears.away()
        })
      ),
      Effect.andThen(Effect.sleep("500 millis"))
    )
    void Effect.runPromise(Effect.forever(once), { signal }).catch(() => undefined)
  }

  return { call, follow, position: () => call((client) => client.position) }
}

export type Link = Awaited<ReturnType<typeof makeLink>>
