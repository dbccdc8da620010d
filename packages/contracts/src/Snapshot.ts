import { Schema } from "effect"
import { Item } from "./Item.ts"
import { PendingRequest } from "./Request.ts"
import { Thread } from "./Thread.ts"

/** A thread as it is: events after `seq` go on from it. The first thing that a reader of its events is told. */
export const ThreadSnapshot = Schema.Struct({
  seq: Schema.Int,
  thread: Thread,
  requests: Schema.Array(PendingRequest),
  /** The last ones, with what has streamed so far. */
  items: Schema.Array(Item)
})
export type ThreadSnapshot = typeof ThreadSnapshot.Type
