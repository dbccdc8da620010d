import { Effect, Redacted } from "effect"
import { connect, createServer, type Socket } from "node:net"

/**
 * A link to the database that can be cut without a word, as a frozen machine or a lost network is: what is sent meanwhile
 * arrives when it is healed. Until the scope ends.
 */
export const makeCutLink = (url: Redacted.Redacted) =>
  Effect.acquireRelease(
    Effect.callback<CutLink>((resume) => {
      const target = new URL(Redacted.value(url))
      const sockets = new Set<Socket>()
      const ended = new Set<Socket>()
      let isCut = false
      let losesCommit = false
      const server = createServer((near) => {
        const far = connect(Number(target.port), target.hostname)
        for (const [one, other] of [
          [near, far],
          [far, near]
        ] as const) {
          sockets.add(one)
          one.on("data", (data) => {
            // What the database says when it has committed.
            if (losesCommit && one === far && data.includes("COMMIT\0")) {
              losesCommit = false
              near.destroy()
              return
            }
            other.write(data)
          })
          one.on("error", () => other.destroy())
          one.on("close", () => {
            sockets.delete(one)
            // While it is cut nobody hears of it.
            if (isCut) ended.add(other)
            else other.destroy()
          })
          if (isCut) one.pause()
        }
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const through = new URL(target)
        through.host = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`
        resume(
          Effect.succeed({
            url: Redacted.make(through.href),
            cut: Effect.sync(() => {
              isCut = true
              for (const socket of sockets) socket.pause()
            }),
            heal: Effect.sync(() => {
              isCut = false
              for (const socket of sockets) socket.resume()
              for (const socket of ended) socket.destroy()
              ended.clear()
            }),
            loseCommit: Effect.sync(() => {
              losesCommit = true
            }),
            close: () => {
              server.close()
              for (const socket of sockets) socket.destroy()
            }
          })
        )
      })
    }),
    ({ close }) => Effect.sync(close)
  )

export interface CutLink {
  readonly url: Redacted.Redacted
  readonly cut: Effect.Effect<void>
  readonly heal: Effect.Effect<void>
  /** The next COMMIT comes through, and the connection is lost before its answer does. */
  readonly loseCommit: Effect.Effect<void>
  readonly close: () => void
}
