import { TooManyRequests, Unauthorized } from "@rejoin/contracts/Errors"
import type { Device } from "@rejoin/contracts/Device"
import { Clock, Context, DateTime, Duration, Effect, Layer } from "effect"
import { randomBytes } from "node:crypto"
import { makeAttemptLimit } from "./AttemptLimit.ts"

/** How long a code is good: one on a screen, which others may see, for less. */
const forOwner = Duration.hours(1)
const forDevice = Duration.minutes(10)

export type Lets = Pick<Device, "name" | "mode">

/** The page, with the code where no server and no log sees it. */
export const linkOf = (url: string, code: string): string => `${url}/#code=${code}`

/**
 * Codes by which a page gets the token: good once, and not for long, so that a link in a terminal's history or a
 * browser's is worth nothing afterwards.
 */
export class AccessCodes extends Context.Service<
  AccessCodes,
  {
    /** For a device, or for the page of the owner. */
    readonly issue: (
      device?: Lets
    ) => Effect.Effect<{ readonly code: string; readonly expiresAt: DateTime.Utc }>
    /** The device that it lets in; undefined where it is the owner's. */
    readonly redeem: (code: string) => Effect.Effect<Lets | undefined, Unauthorized | TooManyRequests>
  }
>()("@rejoin/server/AccessCodes") {
  static readonly layer = Layer.sync(AccessCodes, () => {
    const codes = new Map<string, { readonly until: number; readonly device: Lets | undefined }>()
    const limit = makeAttemptLimit()
    const forgetOld = (now: number) => {
      for (const [known, { until }] of codes) if (until < now) codes.delete(known)
    }
    const taken = (code: string, now: number) => {
      forgetOld(now)
      const found = codes.get(code)
      codes.delete(code)
      return found
    }
    return AccessCodes.of({
      issue: (device) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          forgetOld(now)
          const code = randomBytes(18).toString("base64url")
          const until = now + Duration.toMillis(device === undefined ? forOwner : forDevice)
          codes.set(code, { until, device })
          return { code, expiresAt: DateTime.makeUnsafe(until) }
        }),
      redeem: Effect.fn("AccessCodes.redeem")(function* (code: string) {
        const found = taken(code, yield* Clock.currentTimeMillis)
        if (found !== undefined) return found.device
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
