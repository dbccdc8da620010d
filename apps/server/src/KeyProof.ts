import { TooManyRequests, Unauthorized } from "@rejoin/contracts/Errors"
import { Clock, Context, Effect, Layer } from "effect"
import { createHmac, createPublicKey, randomBytes, verify } from "node:crypto"
import { makeAttemptLimit } from "./AttemptLimit.ts"

/** A public key, and the address at which its browser shows itself. */
export interface Known {
  readonly key: string
  readonly origin: string
}

export interface Said {
  readonly challenge: string
  readonly signature: string
}

const isSigned = ({ key, origin }: Known, { challenge, signature }: Said): boolean => {
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

/** How a browser proves that it has the key that it was let in with: by its signature under a challenge of ours. */
export class KeyProof extends Context.Service<
  KeyProof,
  {
    /** Good once, for a minute. */
    readonly challenge: Effect.Effect<string>
    /** Undefined is nobody whom we know. */
    readonly check: (
      known: Known | undefined,
      said: Said
    ) => Effect.Effect<void, Unauthorized | TooManyRequests>
  }
>()("@rejoin/server/KeyProof") {
  static readonly layer = Layer.sync(KeyProof, () => {
    const limit = makeAttemptLimit()
    // What was asked for is not kept: whoever asks a thousand times costs nobody anything.
    const secret = randomBytes(32)
    const used = new Map<string, number>()
    const tooMany = new TooManyRequests({ message: "Too many tries.", hint: "Try again in a minute." })
    const signed = (text: string) =>
      `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`
    const untilOf = (challenge: string): number => {
      const [nonce = "", until = ""] = challenge.split(".")
      return signed(`${nonce}.${until}`) === challenge ? Number(until) : 0
    }
    return KeyProof.of({
      challenge: Effect.map(Clock.currentTimeMillis, (now) =>
        signed(`${randomBytes(18).toString("base64url")}.${now + 60_000}`)
      ),
      check: Effect.fn("KeyProof.check")(function* (known: Known | undefined, said: Said) {
        const now = yield* Clock.currentTimeMillis
        for (const [challenge, until] of used) if (until < now) used.delete(challenge)
        const until = untilOf(said.challenge)
        const isFresh = until >= now && !used.has(said.challenge)
        if (isFresh && used.size < 1000) used.set(said.challenge, until)
        if (isFresh && used.has(said.challenge) && known !== undefined && isSigned(known, said)) return
        if (yield* limit.exceeded) return yield* tooMany
        return yield* new Unauthorized({
          message: "This browser is not known here.",
          hint: "rejoin console prints a link that lets it in."
        })
      })
    })
  })
}
