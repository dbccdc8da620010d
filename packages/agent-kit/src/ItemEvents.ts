import { ItemId } from "@rejoin/contracts/Ids"
import { AdapterEvent, type AdapterItem } from "@rejoin/core/providers/AdapterEvent"

/** An item that is told when it is complete. */
export const wholeItem = (item: AdapterItem): ReadonlyArray<AdapterEvent> => [
  AdapterEvent.ItemStarted({ item: { ...item, status: "started" } }),
  AdapterEvent.ItemCompleted({ item })
]

/** A message of a user's, told when it is in the model's input. */
export const userMessage = (id: string, text: string): ReadonlyArray<AdapterEvent> =>
  wholeItem({ id: ItemId.make(id), kind: "user-message", status: "completed", text })

/** What had begun when its turn ended: its agent tells no end of it. */
export const cutOff = (items: Iterable<AdapterItem>): ReadonlyArray<AdapterEvent> =>
  Array.from(items, (item) => AdapterEvent.ItemCompleted({ item: { ...item, status: "failed" } }))
