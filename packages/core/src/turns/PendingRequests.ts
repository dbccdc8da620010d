import type { ThreadId } from "@rejoin/contracts/Ids"
import { Effect } from "effect"
import type { Emit } from "../events/ThreadEvents.ts"
import type { ThreadStore } from "../store/ThreadStore.ts"

/** Takes back whatever the thread still asks: nobody is there any more who would hear an answer (C37). */
export const closeRequests = Effect.fnUntraced(function* (
  store: ThreadStore["Service"],
  threadId: ThreadId,
  emit: Emit
) {
  for (const request of yield* store.listRequests(threadId)) {
    yield* store.deleteRequest(threadId, request.id)
    const kind = request.ask.kind === "approval" ? "request" : "user-input"
    emit({ type: `${kind}.resolved`, turnId: request.turnId, data: { id: request.id, by: "end" } })
  }
})
