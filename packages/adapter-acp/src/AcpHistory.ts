import type { MessageId } from "@rejoin/contracts/Ids"
import type { History } from "@rejoin/core/plan/Probe"
import { createHash } from "node:crypto"
import type { AcpCursor } from "./AcpCursor.ts"
import type { AcpRecord } from "./AcpStore.ts"

/** By which a message is known again that has no id of ours. */
export const hashOf = (text: string): string => createHash("sha256").update(text.trim()).digest("hex")

interface Compared {
  readonly history: History
  readonly ahead: number
}

/**
 * What an agent has against our mark: by its record, where that is read; else by what it repeats when it loads. That it
 * has a session of the name proves nothing: an empty one is a loss.
 */
export const compare = (
  { last }: Pick<AcpCursor, "last">,
  mark: MessageId | null,
  record: AcpRecord | undefined,
  replayed: ReadonlyArray<string> | undefined
): Compared => {
  const none = { history: "unknown", ahead: 0 } as const
  if (mark === null) return none
  if (last?.messageId !== mark) return { history: "behind", ahead: 0 }
  const found = (at: number, length: number): Compared => {
    if (at < 0) return { history: "behind", ahead: 0 }
    const ahead = length - 1 - at
    return { history: ahead === 0 ? "same" : "ahead", ahead }
  }
  if (record !== undefined) {
    if (record.emptied === "lost") return { history: "behind", ahead: 0 }
    const { messages } = record
    return found(
      messages.findLastIndex(({ id }) => id === last.recordId),
      messages.length
    )
  }
  if (replayed === undefined) return none
  // Of an agent that is told the same twice, the last of them is meant; what was answered before is there at least.
  const at = replayed.findLastIndex((text) => hashOf(text) === last.hash)
  return found(at < last.before ? -1 : at, replayed.length)
}
