import type { RejoinClient } from "@rejoin/client/Client"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Effect, Ref, Schedule, Stream } from "effect"
import { Connection } from "./Connection.ts"
import type { ServerAway } from "./ServerAway.ts"

interface Way {
  /** Asked anew each time: a server that was started again has another address. */
  readonly find: Effect.Effect<RejoinClient, ServerAway>
  /** The server has gone away, and is waited for. */
  readonly onAway: Effect.Effect<void>
  readonly onBack: Effect.Effect<void>
}

/**
 * The events of a thread after `after` (its seq), or of all threads (by position), without end: where the server
 * goes away, it waits for one that is back and goes on from the last event, without loss and without doubles.
 */
export const followBy = (threadId: string | undefined, after: number, { find, onAway, onBack }: Way) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const last = yield* Ref.make(after)
      const away = yield* Ref.make(false)
      const number = ({ position, seq }: RuntimeEvent) => (threadId === undefined ? position : seq)
      const once = Stream.unwrap(
        Effect.gen(function* () {
          const client = yield* find
          if (yield* Ref.getAndSet(away, false)) yield* onBack
          return client.follow(threadId, yield* Ref.get(last))
        })
      ).pipe(Stream.tap((event) => Ref.set(last, number(event))))
      const left = Effect.gen(function* () {
        if (!(yield* Ref.getAndSet(away, true))) yield* onAway
      })
      return once.pipe(
        // Who answers, and refuses, is not away: a thread that was deleted, a token that is not its own. Its database may be.
        Stream.catch((error) =>
          error._tag === "HttpClientError" &&
          error.reason._tag === "StatusCodeError" &&
          error.reason.response.status !== 503
            ? Stream.fail(error)
            : Stream.empty
        ),
        Stream.concat(Stream.fromEffectDrain(left)),
        Stream.repeat(Schedule.spaced("300 millis"))
      )
    })
  )

/** The same by the way to the server that there is; that it is away, and back, is noted. */
export const follow = (
  threadId: string | undefined,
  after: number,
  note: (text: string) => Effect.Effect<void>
) =>
  Stream.unwrap(
    Effect.map(Connection, ({ find }) =>
      followBy(threadId, after, {
        find,
        onAway: note("The server is away: waiting for it."),
        onBack: note("The server is back.")
      })
    )
  )
