import { ProviderSessionId, StoreId } from "@rejoin/contracts/Ids"
import { Schema } from "effect"

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export const SessionId = Schema.Trim.check(Schema.isPattern(uuid)).pipe(Schema.brand("ProviderSessionId"))

/** What finds a Claude session again: its id, and the configuration directory that holds its transcript. */
export const ClaudeCursor = Schema.Struct({
  v: Schema.Literal(1),
  driver: Schema.Literal("claude"),
  providerSessionId: SessionId,
  storeId: StoreId,
  /**
   * The session that this one forks. A fork has no transcript before its first message: until then its conversation
   * is the source's, up to `at` (the last line that is kept) where that is given.
   */
  from: Schema.optionalKey(Schema.Struct({ id: SessionId, at: Schema.optionalKey(Schema.String) }))
})
export type ClaudeCursor = typeof ClaudeCursor.Type

/** None for whatever is no cursor of this driver and version (C6). */
export const decodeCursor = Schema.decodeUnknownOption(ClaudeCursor)

export const cursorOf = (id: string, storeId: StoreId, from?: ClaudeCursor["from"]): ClaudeCursor => ({
  v: 1,
  driver: "claude",
  providerSessionId: ProviderSessionId.make(id),
  storeId,
  ...(from && { from })
})
