import type { UsageLimited } from "@rejoin/contracts/Errors"
import type { ProviderInstanceId } from "@rejoin/contracts/Ids"
import type { UsageLimits, UsageWindow } from "@rejoin/contracts/Provider"
import { now } from "@rejoin/contracts/Time"
import { Context, Effect, Layer } from "effect"

/** What agents have told of their accounts' usage since we began, by instance. */
export class UsageFacts extends Context.Service<
  UsageFacts,
  {
    readonly of: (instance: ProviderInstanceId) => UsageLimits | undefined
    /** In ms since the epoch; undefined where no turn has met this limit, or it did not tell its end. */
    readonly limitedUntil: (instance: ProviderInstanceId, scope: string) => number | undefined
    readonly told: (instance: ProviderInstanceId, windows: ReadonlyArray<UsageWindow>) => Effect.Effect<void>
    /** A turn met its limit. */
    readonly limited: (
      instance: ProviderInstanceId,
      limit: Pick<UsageLimited, "scope" | "resetsAt">
    ) => Effect.Effect<void>
  }
>()("@rejoin/core/UsageFacts") {
  static readonly layer = Layer.sync(UsageFacts, () => {
    const facts = new Map<ProviderInstanceId, UsageLimits>()
    const until = new Map<string, number>()

    /** What an agent tells at once may be some of its windows: the others stay as they were. */
    const told = (instance: ProviderInstanceId, windows: ReadonlyArray<UsageWindow>) =>
      Effect.map(now, (at) => {
        const known = new Map(facts.get(instance)?.windows.map((window) => [window.scope, window]))
        for (const window of windows) known.set(window.scope, window)
        facts.set(instance, { at, windows: [...known.values()] })
      })

    return UsageFacts.of({
      of: (instance) => facts.get(instance),
      limitedUntil: (instance, scope) => until.get(`${instance} ${scope}`),
      told,
      limited: (instance, { resetsAt, scope }) =>
        Effect.suspend(() => {
          if (resetsAt !== null) until.set(`${instance} ${scope}`, Date.parse(resetsAt))
          const known = facts.get(instance)?.windows.find((window) => window.scope === scope)
          return told(instance, [{ ...known, scope, used: 1, resetsAt }])
        })
    })
  })
}
