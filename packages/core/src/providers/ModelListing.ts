import * as E from "@rejoin/contracts/Errors"
import type { ProviderInstanceId } from "@rejoin/contracts/Ids"
import type { ProviderModel } from "@rejoin/contracts/Provider"
import { Effect, Struct } from "effect"
import { ProviderCall } from "./ProviderCall.ts"
import { ProviderRegistry } from "./ProviderRegistry.ts"

/** The models of an agent; the one that a configuration of ours names is the default here. */
export const makeModelListing = Effect.gen(function* () {
  const registry = yield* ProviderRegistry
  const call = yield* ProviderCall

  return Effect.fn("ProviderService.models")(function* (provider: ProviderInstanceId) {
    const adapter = yield* registry.get(provider)
    if (adapter.models === undefined) {
      return yield* new E.CapabilityMissing({
        capability: "models",
        message: `${adapter.id} does not tell which models it has.`
      })
    }
    const models = yield* call.within(adapter, "models", adapter.models)
    const { model } = yield* adapter.info
    if (model === null) return models
    const others = models.map((one) => Struct.omit(one, ["default"]))
    const known = others.some(({ id }) => id === model)
    const own: ReadonlyArray<ProviderModel> = known ? [] : [{ id: model, name: model, default: true }]
    return [...own, ...others.map((one) => (one.id === model ? { ...one, default: true } : one))]
  })
})
