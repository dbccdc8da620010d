import { Schema } from "effect"
import { ItemId, ThreadId, TurnId } from "./Ids.ts"
import { Timestamp } from "./Time.ts"

export const RuntimeEventType = Schema.Literals([
  "thread.updated",
  "thread.deleted",
  "session.started",
  "session.exited",
  "session.refused",
  "session.reaped",
  "session.stalled",
  "turn.accepted",
  "turn.updated",
  "turn.started",
  "turn.completed",
  "turn.failed",
  "turn.interrupted",
  "item.started",
  "item.updated",
  "item.completed",
  "request.opened",
  "request.resolved",
  "user-input.opened",
  "user-input.resolved",
  "usage.updated",
  "receipt.updated",
  "warning",
  "events.gap"
])
export type RuntimeEventType = typeof RuntimeEventType.Type

/**
 * What happened on a thread. `seq` strictly increases within a thread, `position` over all threads. Events are
 * durable before they are seen; deltas of one item may be merged.
 */
export const RuntimeEvent = Schema.Struct({
  seq: Schema.Int,
  position: Schema.Int,
  type: RuntimeEventType,
  threadId: ThreadId,
  turnId: Schema.optionalKey(TurnId),
  itemId: Schema.optionalKey(ItemId),
  generation: Schema.Int,
  at: Timestamp,
  data: Schema.Unknown
}).annotate({ identifier: "RuntimeEvent" })
export type RuntimeEvent = typeof RuntimeEvent.Type
