import { ProviderSessionId, StoreId } from "@rejoin/contracts/Ids"
import { Schema } from "effect"

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** Checked here: what is no UUID makes some of Codex's commands start a new session with success. */
export const ThreadUuid = Schema.Trim.check(Schema.isPattern(uuid)).pipe(Schema.brand("ProviderSessionId"))

/** What finds a Codex thread again: its id, and the CODEX_HOME that holds its rollout. */
export const CodexCursor = Schema.Struct({
  v: Schema.Literal(1),
  driver: Schema.Literal("codex"),
  providerSessionId: ThreadUuid,
  storeId: StoreId,
  /** The threads that this one is a fork of, nearest first: it refers to their files and is lost with them. */
  lineage: Schema.Array(ThreadUuid)
})
export type CodexCursor = typeof CodexCursor.Type

/** None for whatever is no cursor of this driver and version (C6). */
export const decodeCursor = Schema.decodeUnknownOption(CodexCursor)

export const cursorOf = (
  id: string,
  storeId: StoreId,
  lineage: ReadonlyArray<ProviderSessionId> = []
): CodexCursor => ({ v: 1, driver: "codex", providerSessionId: ProviderSessionId.make(id), storeId, lineage })
