import { ItemId, type ThreadId, type TurnId } from "@rejoin/contracts/Ids"
import { DateTime, Effect } from "effect"
import { newIdAt } from "../NewId.ts"
import type { Past } from "../providers/OwnSessions.ts"
import type { ItemRecord, TurnRecord } from "../store/Records.ts"
import { split } from "../turns/Attachments.ts"

/** A turn that was said in the agent's own interface, with what came of it. */
export const pastTurn = Effect.fnUntraced(function* (
  { generation, threadId }: { readonly threadId: ThreadId; readonly generation: number },
  { at, attachments = [], input, items, messageId }: Past
) {
  const { blobs, refs } = yield* split(attachments)
  const id = (yield* newIdAt("trn", DateTime.toEpochMillis(DateTime.makeUnsafe(at)))) as TurnId
  const turn: TurnRecord = {
    id,
    threadId,
    status: "completed",
    input,
    attachments: refs,
    output: items.findLast(({ kind }) => kind === "assistant-message")?.text ?? "",
    steers: [],
    delivery: null,
    error: null,
    idempotencyKey: null,
    elsewhere: true,
    messageId,
    generation,
    acceptedAt: at,
    startedAt: at,
    settledAt: at
  }
  const said = {
    id: ItemId.make(`${messageId}-said`),
    kind: "user-message",
    status: "completed",
    text: input
  } as const
  const records: ReadonlyArray<ItemRecord> = [said, ...items].map((item) => ({
    threadId,
    item: { ...item, turnId: id, elsewhere: true }
  }))
  return { turn, records, blobs }
})
