import { Browser, BrowserKey } from "@rejoin/contracts/Browser"
import { now } from "@rejoin/contracts/Time"
import { Clock, Context, Duration, Effect, Layer, Schema, Struct } from "effect"
import { randomBytes } from "node:crypto"
import { makeKept } from "./KeptFile.ts"
import type { Known } from "./KeyProof.ts"

/** One that was not seen for so long needs a link again. */
const kept = Duration.toMillis(Duration.days(30))

/** The others are forgotten, the one that was seen longest ago first. */
const most = 20

const Entry = Schema.Struct({ ...Browser.fields, key: BrowserKey })

/**
 * Browsers that were let in by a link and let themselves in again: each proves that it has its key, which the browser
 * lets nobody read, and gets the token for a tab. Kept over restarts.
 */
export class Browsers extends Context.Service<
  Browsers,
  {
    /** Its id, from then on. */
    readonly enroll: (key: string, origin: string, agent: string) => Effect.Effect<string>
    /** What it proves itself by, at that address. */
    readonly find: (id: string, origin: string) => Effect.Effect<Known | undefined>
    readonly seen: (id: string) => Effect.Effect<void>
    readonly list: Effect.Effect<ReadonlyArray<Browser>>
    readonly forget: (id: string) => Effect.Effect<void>
  }
>()("@rejoin/server/Browsers") {
  static readonly layer = Layer.effect(
    Browsers,
    Effect.gen(function* () {
      const file = yield* makeKept("browsers", Entry)
      const read = Effect.gen(function* () {
        const at = yield* Clock.currentTimeMillis
        return (yield* file.read).filter(({ lastSeenAt }) => at - Date.parse(lastSeenAt) < kept)
      })
      /** Where it cannot be kept, a browser needs a link the next time, and is in now. */
      const change = (next: Parameters<typeof file.change>[0]) =>
        Effect.catch(file.change(next), (error) =>
          Effect.logWarning(`Browsers cannot be kept: ${error.message}`)
        )
      return Browsers.of({
        enroll: Effect.fn("Browsers.enroll")(function* (key: string, origin: string, agent: string) {
          const at = yield* now
          const id = randomBytes(12).toString("base64url")
          const browser = { id, key, origin, agent: agent.slice(0, 300), since: at, lastSeenAt: at }
          yield* change((known) => [browser, ...known].slice(0, most))
          return id
        }),
        find: (id, origin) =>
          Effect.map(read, (all) => all.find((browser) => browser.id === id && browser.origin === origin)),
        seen: (id) =>
          Effect.flatMap(now, (lastSeenAt) =>
            change((all) => [
              ...all.flatMap((one) => (one.id === id ? [{ ...one, lastSeenAt }] : [])),
              ...all.filter((one) => one.id !== id)
            ])
          ),
        list: Effect.map(read, (browsers) => browsers.map(Struct.omit(["key"]))),
        forget: (id) => change((known) => known.filter((browser) => browser.id !== id))
      })
    })
  )
}
