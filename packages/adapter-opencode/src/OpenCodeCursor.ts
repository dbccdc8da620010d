import { ProviderSessionId, StoreId } from "@rejoin/contracts/Ids"
import { Schema } from "effect"
import { SessionId } from "./OpenCodeSchema.ts"

/** What finds an OpenCode session again: its id, and the data directory that it lives in. */
export const OpenCodeCursor = Schema.Struct({
  v: Schema.Literal(1),
  driver: Schema.Literal("opencode"),
  providerSessionId: SessionId.pipe(Schema.brand("ProviderSessionId")),
  storeId: StoreId
})
export type OpenCodeCursor = typeof OpenCodeCursor.Type

/** None for whatever is no cursor of this driver and version (C6). */
export const decodeCursor = Schema.decodeUnknownOption(OpenCodeCursor)

export const cursorOf = (sessionId: string, storeId: StoreId): OpenCodeCursor => ({
  v: 1,
  driver: "opencode",
  providerSessionId: ProviderSessionId.make(sessionId),
  storeId
})
