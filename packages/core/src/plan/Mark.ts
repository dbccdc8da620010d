import type { MessageId } from "@rejoin/contracts/Ids"
import type { History } from "./Probe.ts"

/** Our mark against the messages of users that an upstream has; null for what was not said through us. Oldest first. */
export const compareMark = (
  said: ReadonlyArray<string | null>,
  mark: MessageId | null
): { readonly history: History; readonly ahead: number } => {
  if (mark === null) return { history: "unknown", ahead: 0 }
  const at = said.lastIndexOf(mark)
  if (at < 0) return { history: said.length === 0 ? "behind" : "diverged", ahead: 0 }
  const ahead = said.length - 1 - at
  return { history: ahead === 0 ? "same" : "ahead", ahead }
}
