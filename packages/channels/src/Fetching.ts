import { Effect } from "effect"
import { type ChannelFailure, Refused, Unanswered } from "./ChannelFailure.ts"

class Answer extends Error {
  readonly status: number
  constructor(status: number) {
    super(String(status))
    this.status = status
  }
}

/**
 * A file of a platform's, no more of it than `atMost` bytes. It is fetched from just this address, wherever that sends one
 * on; nothing of the address is in an error, since a token may stand in it.
 */
export const fetchFile = (
  url: string,
  atMost: number,
  headers: Readonly<Record<string, string>> = {}
): Effect.Effect<Uint8Array, ChannelFailure> =>
  Effect.tryPromise({
    try: async (signal) => {
      const response = await fetch(url, { redirect: "error", headers, signal })
      if (!response.ok) throw new Answer(response.status)
      const pieces: Array<Uint8Array> = []
      let bytes = 0
      for await (const piece of response.body ?? []) {
        bytes += piece.length
        if (bytes > atMost) throw new Answer(413)
        pieces.push(piece)
      }
      return Buffer.concat(pieces)
    },
    catch: (cause) =>
      cause instanceof Answer && cause.status < 500
        ? new Refused({ code: String(cause.status), message: "The platform does not give the file." })
        : new Unanswered({ message: "The platform did not send the file." })
  }).pipe(
    Effect.timeoutOrElse({
      duration: "1 minute",
      orElse: () => Effect.fail(new Unanswered({ message: "The platform did not send the file in time." }))
    })
  )
