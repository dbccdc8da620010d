import type { ProviderModel } from "@rejoin/contracts/Provider"
import { Effect, Schema } from "effect"
import type { OpenCodeClient } from "./OpenCodeClient.ts"

const Model = Schema.Struct({
  id: Schema.String,
  name: Schema.optional(Schema.String),
  limit: Schema.optional(Schema.Struct({ context: Schema.optional(Schema.Finite) })),
  status: Schema.optional(Schema.String)
})
const Providers = Schema.Struct({
  providers: Schema.Array(Schema.Struct({ id: Schema.String, models: Schema.Record(Schema.String, Model) }))
})
const Config = Schema.Struct({ model: Schema.optional(Schema.String) })

/** The models of whatever OpenCode has an account for. Which is its default its configuration says, where it does. */
export const modelsOf = (client: OpenCodeClient) =>
  Effect.all({
    config: client.read("config", Config, (sdk, signal) => sdk.config.get({}, { signal })),
    told: client.read("models", Providers, (sdk, signal) => sdk.config.providers({}, { signal }))
  }).pipe(
    Effect.map(({ config, told }) =>
      told.providers.flatMap(({ id: provider, models }) =>
        Object.values(models)
          .filter(({ status }) => status !== "deprecated")
          .map(({ id: model, limit, name }): ProviderModel => {
            const id = `${provider}/${model}`
            return {
              id,
              name: name ?? model,
              ...(limit?.context !== undefined && limit.context > 0 && { context: limit.context }),
              ...(config.model === id && { default: true })
            }
          })
      )
    )
  )
