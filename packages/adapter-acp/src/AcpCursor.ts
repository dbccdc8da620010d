import { MessageId, ProviderSessionId, StoreId } from "@rejoin/contracts/Ids"
import { Schema } from "effect"

/** What no shell, no path and no option of a command takes for something else. */
const shape = /^[A-Za-z0-9][\w.:-]{0,199}$/
/** Whether a session of this id can be found again. */
export const isSessionId = (id: string): boolean => shape.test(id)

const SessionId = Schema.Trim.check(Schema.isPattern(shape)).pipe(Schema.brand("ProviderSessionId"))

/** The last message of ours that was read back, as the agent has it: nothing of ours can be written into it. */
export const Last = Schema.Struct({
  messageId: MessageId,
  /** The id of the agent's own record of it, where its records are read. */
  recordId: Schema.NullOr(Schema.String),
  /** SHA-256 of its text. */
  hash: Schema.String,
  /** How many messages before it were answered to their end. */
  before: Schema.Int
})
export type Last = typeof Last.Type

/** What finds a session again: its id, the agent that has it, and where it was begun. */
export const AcpCursor = Schema.Struct({
  v: Schema.Literal(1),
  driver: Schema.Literal("acp"),
  /** By the name that the agent gives itself. */
  agent: Schema.NonEmptyString,
  providerSessionId: SessionId,
  storeId: StoreId,
  /** An agent may keep its sessions by directory: it is asked for this one in the one that it has. */
  cwd: Schema.NonEmptyString,
  last: Schema.NullOr(Last)
})
export type AcpCursor = typeof AcpCursor.Type

/** None for whatever is no cursor of this driver and version (C6). */
export const decodeCursor = Schema.decodeUnknownOption(AcpCursor)

export const cursorOf = (
  of: Omit<AcpCursor, "v" | "driver" | "providerSessionId"> & { readonly id: string }
): AcpCursor => {
  const { id, ...rest } = of
  return { v: 1, driver: "acp", providerSessionId: ProviderSessionId.make(id), ...rest }
}
