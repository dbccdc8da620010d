import type { ProviderModel } from "@rejoin/contracts/Provider"
import { Effect, Schema } from "effect"
import type { CodexClient } from "./CodexClient.ts"

const Models = Schema.Struct({
  data: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      displayName: Schema.optional(Schema.NullOr(Schema.String)),
      hidden: Schema.optional(Schema.Boolean),
      isDefault: Schema.optional(Schema.Boolean)
    })
  ),
  nextCursor: Schema.optional(Schema.NullOr(Schema.String))
})

/** What Codex offers in its own picker. */
export const modelsOf = Effect.fnUntraced(function* (client: CodexClient) {
  const models: Array<ProviderModel> = []
  let cursor: string | null = null
  do {
    const page: typeof Models.Type = yield* client.call(
      Models,
      "model/list",
      cursor === null ? {} : { cursor }
    )
    for (const { displayName, hidden, id, isDefault } of page.data) {
      if (hidden !== true) models.push({ id, name: displayName ?? id, ...(isDefault && { default: true }) })
    }
    cursor = page.data.length === 0 ? null : (page.nextCursor ?? null)
  } while (cursor !== null)
  return models
})
