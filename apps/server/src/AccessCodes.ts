import { TooManyRequests, Unauthorized } from "@rejoin/contracts/Errors"
import { Clock, Context, DateTime, Duration, Effect, Layer } from "effect"
import { randomBytes } from "node:crypto"
import { makeAttemptLimit } from "./AttemptLimit.ts"

/** The page, with the code where no server and no log sees it. */
export const linkOf = (url: string, code: string): string => `${url}/#code=${code}`

/**
 * Codes by which a page gets the token: good once, and not for long, so that a link in a terminal's history or a
 * browser's is worth nothing afterwards.
 */
export class AccessCodes extends Context.Service<
  AccessCodes,
  {
    readonly issue: Effect.Effect<{ readonly code: string; readonly expiresAt: DateTime.Utc }>
    readonly redeem: (code: string) => Effect.Effect<void, Unauthorized | TooManyRequests>
  }
>()("@rejoin/server/AccessCodes") {
  static readonly layer = Layer.sync(AccessCodes, () => {
    const codes = new Map<string, number>()
    const limit = makeAttemptLimit()
    const forgetOld = (now: number) => {
      for (const [known, until] of codes) if (until < now) codes.delete(known)
    }
    const isValid = (code: string, now: number) => {
      forgetOld(now)
      return codes.delete(code)
    }
    return AccessCodes.of({
      issue: Effect.map(Clock.currentTimeMillis, (now) => {
        forgetOld(now)
        const code = randomBytes(18).toString("base64url")
        const until = now + Duration.toMillis(Duration.hours(1))
        codes.set(code, until)
        return { code, expiresAt: DateTime.makeUnsafe(until) }
      }),
      redeem: Effect.fn("AccessCodes.redeem")(function* (code: string) {
        if (isValid(code, yield* Clock.currentTimeMillis)) return
        if (yield* limit.exceeded) {
          return yield* new TooManyRequests({
            message: "Too many wrong codes.",
            hint: "Try again in a minute."
          })
        }
        return yield* new Unauthorized({
          message: "The link was used already, or is too old.",
          hint: "rejoin console prints a new one."
        })
      })
    })
  })
}
