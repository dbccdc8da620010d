import type { ProviderModel } from "@rejoin/contracts/Provider"
import { Schema } from "effect"

/** Of its answer to `initialize`: the names that `--model` takes. */
export const Models = Schema.Struct({
  models: Schema.Array(
    Schema.Struct({
      value: Schema.String,
      displayName: Schema.optional(Schema.String),
      description: Schema.optional(Schema.String)
    })
  )
})

/** Claude tells no window's size, and calls its default `default`. */
export const modelsOf = ({ models }: typeof Models.Type): ReadonlyArray<ProviderModel> =>
  models.map(({ description, displayName, value }) => ({
    id: value,
    name: [displayName ?? value, description].filter((part) => part !== undefined).join(": "),
    ...(value === "default" && { default: true })
  }))
