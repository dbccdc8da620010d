import type { SessionUpdate } from "@agentclientprotocol/sdk"
import { Item } from "@rejoin/contracts/Item"
import { Receipt } from "@rejoin/contracts/Receipt"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Option, Schema } from "effect"
import { pieceOf, startOf, toolCallOf, wholeItem } from "./AcpUpdates.ts"

const decode = <S extends Schema.Decoder<unknown>>(schema: S) => Schema.decodeUnknownOption(schema)
const withItem = decode(Schema.Struct({ item: Item }))
const withDelta = decode(Schema.Struct({ delta: Schema.String, field: Schema.Literal("text") }))
const withReceipt = decode(Schema.Struct({ receipt: Receipt }))
const withMessage = decode(Schema.Struct({ message: Schema.String }))

/** Tells a client what happens in one thread: each thing once, and in its order. */
export class AcpTeller {
  /** How much of each text is told; of work, that it is. */
  private readonly told = new Map<
    string,
    { readonly kind: Item["kind"]; readonly turnId: string; length: number }
  >()
  private readonly notices: boolean

  constructor(notices: boolean) {
    this.notices = notices
  }

  /** What is there already. */
  item(item: Item): ReadonlyArray<SessionUpdate> {
    const known = this.told.get(item.id)
    const text = item.text ?? ""
    this.told.set(item.id, {
      kind: item.kind,
      turnId: item.turnId,
      length: Math.max(known?.length ?? 0, text.length)
    })
    if (item.status !== "started") this.told.delete(item.id)
    if (known === undefined) return wholeItem(item)
    const call = toolCallOf(item)
    if (call !== undefined) return [{ sessionUpdate: "tool_call_update", ...call }]
    if (item.kind === "plan") return wholeItem(item)
    return pieceOf(item.kind, item.id, text.slice(known.length))
  }

  /** `isOurs`: the client shows what its own user says by itself. */
  event({ data, itemId, turnId, type }: RuntimeEvent, isOurs: boolean): ReadonlyArray<SessionUpdate> {
    switch (type) {
      // What had begun and is told no end of: its agent, or we, were killed.
      case "turn.completed":
      case "turn.failed":
      case "turn.interrupted":
        return [...this.told].flatMap(([id, known]): ReadonlyArray<SessionUpdate> => {
          if (known.turnId !== turnId) return []
          this.told.delete(id)
          const isWork =
            known.kind === "command" || known.kind === "file-change" || known.kind === "tool-call"
          return isWork ? [{ sessionUpdate: "tool_call_update", toolCallId: id, status: "failed" }] : []
        })
      case "item.started":
      case "item.completed": {
        const item = Option.getOrUndefined(withItem(data))?.item
        if (item === undefined || (isOurs && item.kind === "user-message")) return []
        return this.item(item)
      }
      case "item.updated": {
        const piece = Option.getOrUndefined(withDelta(data))
        const known = itemId === undefined ? undefined : this.told.get(itemId)
        if (piece === undefined || known === undefined || itemId === undefined) return []
        known.length += piece.delta.length
        return pieceOf(known.kind, itemId, piece.delta)
      }
      case "session.started": {
        const receipt = Option.getOrUndefined(withReceipt(data))?.receipt
        return receipt === undefined ? [] : startOf(receipt)
      }
      case "warning":
      case "session.stalled": {
        const title = Option.getOrUndefined(withMessage(data))?.message
        if (title === undefined || !this.notices) return []
        return [{ sessionUpdate: "notice", severity: "warning", title }]
      }
      default:
        return []
    }
  }
}
