import { ProviderSessionId, StoreId } from "@rejoin/contracts/Ids"
import { Schema } from "effect"

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Checked here: it is a file's name. */
const RecordId = Schema.Trim.check(Schema.isPattern(uuid)).pipe(Schema.brand("ProviderSessionId"))

/** What finds a conversation again: its id, and the directory that holds its record. */
export const OllamaCursor = Schema.Struct({
  v: Schema.Literal(1),
  driver: Schema.Literal("ollama"),
  providerSessionId: RecordId,
  storeId: StoreId
})
export type OllamaCursor = typeof OllamaCursor.Type

/** None for whatever is no cursor of this driver and version (C6). */
export const decodeCursor = Schema.decodeUnknownOption(OllamaCursor)

export const cursorOf = (id: string, storeId: StoreId): OllamaCursor => ({
  v: 1,
  driver: "ollama",
  providerSessionId: ProviderSessionId.make(id),
  storeId
})

export const fileOf = (id: string): string => `${id}.jsonl`

export const isRecord = (file: string, id?: string): boolean =>
  id === undefined
    ? file.endsWith(".jsonl") && uuid.test(file.slice(0, -".jsonl".length))
    : file === fileOf(id)
