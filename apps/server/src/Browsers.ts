import { Browser, BrowserKey } from "@rejoin/contracts/Browser"
import { TooManyRequests, Unauthorized } from "@rejoin/contracts/Errors"
import { Timestamp } from "@rejoin/contracts/Time"
import {
  Clock,
  Context,
  DateTime,
  Duration,
  Effect,
  FileSystem,
  Layer,
  Redacted,
  Schema,
  Semaphore
} from "effect"
import { createHash, createPublicKey, randomBytes, verify } from "node:crypto"
import { makeAttemptLimit } from "./AttemptLimit.ts"
import { Configuration } from "./Configuration.ts"
import { Token } from "./Token.ts"

/** One that was not seen for so long needs a link again. */
const kept = Duration.toMillis(Duration.days(30))

/** The others are forgotten, the one that was seen longest ago first. */
const most = 20

const File = Schema.fromJsonString(
  Schema.Struct({
    /** Whoever makes another token locks all of them out. */
    token: Schema.String,
    browsers: Schema.Array(Schema.Struct({ ...Browser.fields, key: BrowserKey }))
  })
)
type Known = (typeof File.Type)["browsers"][number]

const isSigned = ({ key, origin }: Known, challenge: string, signature: string): boolean => {
  try {
    const publicKey = createPublicKey({ key: Buffer.from(key, "base64"), format: "der", type: "spki" })
    const said = Buffer.from(`rejoin ${origin} ${challenge}`)
    return verify(
      "sha256",
      said,
      { key: publicKey, dsaEncoding: "ieee-p1363" },
      Buffer.from(signature, "base64")
    )
  } catch {
    return false
  }
}

/**
 * Browsers that were let in by a link and let themselves in again: each proves that it has its key, which the browser
 * lets nobody read, and gets the token for a tab. Kept over restarts, in a file that only its owner reads.
 */
export class Browsers extends Context.Service<
  Browsers,
  {
    /** Its id, from then on. */
    readonly enroll: (key: string, origin: string, agent: string) => Effect.Effect<string>
    readonly challenge: Effect.Effect<string, TooManyRequests>
    readonly enter: (
      id: string,
      origin: string,
      challenge: string,
      signature: string
    ) => Effect.Effect<void, Unauthorized | TooManyRequests>
    readonly list: Effect.Effect<ReadonlyArray<Browser>>
    readonly forget: (id: string) => Effect.Effect<void>
  }
>()("@rejoin/server/Browsers") {
  static readonly layer = Layer.effect(
    Browsers,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { home } = yield* Configuration
      const { value } = yield* Token
      const token = createHash("sha256").update(Redacted.value(value)).digest("hex")
      const file = `${home}/browsers.json`
      const turn = yield* Semaphore.make(1)
      const limit = makeAttemptLimit()
      const challenges = new Map<string, number>()

      const read = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const held = yield* fs.readFileString(file).pipe(
          Effect.flatMap(Schema.decodeEffect(File)),
          Effect.orElseSucceed(() => ({ token, browsers: [] }))
        )
        if (held.token !== token) return []
        return held.browsers.filter(({ lastSeenAt }) => now - Date.parse(lastSeenAt) < kept)
      })
      const write = Effect.fnUntraced(function* (browsers: ReadonlyArray<Known>) {
        const text = JSON.stringify({ token, browsers })
        yield* Effect.ignore(fs.remove(`${file}.new`))
        yield* fs.writeFileString(`${file}.new`, `${text}\n`, { mode: 0o600 })
        yield* fs.rename(`${file}.new`, file)
      })
      /** Where it cannot be kept, a browser needs a link the next time, and is in now. */
      const change = (next: (browsers: ReadonlyArray<Known>) => ReadonlyArray<Known>) =>
        read.pipe(
          Effect.flatMap((browsers) => write(next(browsers))),
          Effect.catch((error) => Effect.logWarning(`Browsers cannot be kept: ${error.message}`)),
          turn.withPermits(1)
        )
      const timestamp = Effect.map(DateTime.now, (now) => Timestamp.make(DateTime.formatIso(now)))

      const enroll = Effect.fn("Browsers.enroll")(function* (key: string, origin: string, agent: string) {
        const at = yield* timestamp
        const id = randomBytes(12).toString("base64url")
        const browser = { id, key, origin, agent: agent.slice(0, 300), since: at, lastSeenAt: at }
        yield* change((known) => [browser, ...known].slice(0, most))
        return id
      })
      const tooMany = new TooManyRequests({ message: "Too many tries.", hint: "Try again in a minute." })
      const challenge = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        for (const [known, until] of challenges) if (until < now) challenges.delete(known)
        if (challenges.size >= 1000) return yield* tooMany
        const made = randomBytes(24).toString("base64url")
        challenges.set(made, now + 60_000)
        return made
      })
      const enter = Effect.fn("Browsers.enter")(function* (
        id: string,
        origin: string,
        challenge: string,
        signature: string
      ) {
        const until = challenges.get(challenge) ?? 0
        challenges.delete(challenge)
        const known = (yield* read).find((browser) => browser.id === id && browser.origin === origin)
        const isGood =
          known !== undefined &&
          until >= (yield* Clock.currentTimeMillis) &&
          isSigned(known, challenge, signature)
        if (isGood) {
          const lastSeenAt = yield* timestamp
          return yield* change((all) => [
            { ...known, lastSeenAt },
            ...all.filter((browser) => browser.id !== id)
          ])
        }
        if (yield* limit.exceeded) return yield* tooMany
        return yield* new Unauthorized({
          message: "This browser is not known here.",
          hint: "rejoin console prints a link that lets it in."
        })
      })
      const list = Effect.map(read, (browsers) =>
        browsers.map(({ agent, id, lastSeenAt, origin, since }) => ({ id, origin, agent, since, lastSeenAt }))
      )
      const forget = (id: string) => change((known) => known.filter((browser) => browser.id !== id))
      return Browsers.of({ enroll, challenge, enter, list, forget })
    })
  )
}
