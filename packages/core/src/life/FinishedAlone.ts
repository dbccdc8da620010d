import type { Item } from "@rejoin/contracts/Item"
import type { AdapterItem } from "../providers/AdapterEvent.ts"
import type { Past } from "../providers/OwnSessions.ts"
import type { TurnRecord } from "../store/Records.ts"

const isWork = ({ kind }: AdapterItem): boolean =>
  kind === "command" || kind === "file-change" || kind === "tool-call"

/**
 * What the agent's record has of a turn that it finished while nobody listened: its message, what was steered into it, and
 * all that came of them. Undefined where it has not finished it, as far as it tells. Where the last thing that it did
 * failed, that may have been because of our end, which takes its hooks and answers away: Claude then ends its turn with
 * "The user doesn't want to take this action right now", and has done nothing.
 */
export const finishedIn = (
  history: ReadonlyArray<Past>,
  { messageId, steers }: Pick<TurnRecord, "messageId" | "steers">
): ReadonlyArray<AdapterItem> | undefined => {
  const from = history.findIndex((past) => past.messageId === messageId)
  if (from < 0) return undefined
  const joined = new Set<string>(steers.map((steer) => steer.messageId))
  const length = history.slice(from + 1).findIndex((past) => !joined.has(past.messageId))
  const own = history.slice(from, length < 0 ? undefined : from + 1 + length)
  if (own.at(-1)?.ended !== true) return undefined
  const items = own.flatMap((past) => past.items)
  return items.findLast(isWork)?.status === "failed" ? undefined : items
}

const textOf = ({ command, output, text }: AdapterItem): string => text ?? output ?? command ?? ""

/** The same thing, told as far as it had come: by its id, where the agent's record has that, or by how it begins. */
const isSame = (ours: Item, theirs: AdapterItem): boolean =>
  ours.id === theirs.id || (ours.kind === theirs.kind && textOf(theirs).startsWith(textOf(ours)))

/** The items of the turn that are to be written: those that had not ended here, and those that came after. */
export const missedItems = (
  ours: ReadonlyArray<Item>,
  theirs: ReadonlyArray<AdapterItem>,
  turnId: Item["turnId"]
): ReadonlyArray<Item> => {
  const left = ours.filter(({ kind }) => kind !== "user-message")
  return theirs.flatMap((item): ReadonlyArray<Item> => {
    const at = left.findIndex((one) => isSame(one, item))
    const [known] = at < 0 ? [] : left.splice(at, 1)
    if (known?.status === "completed") return []
    return [{ ...item, id: known?.id ?? item.id, turnId }]
  })
}
