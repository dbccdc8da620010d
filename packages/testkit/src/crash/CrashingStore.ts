import type { RuntimeEventType } from "@rejoin/contracts/RuntimeEvent"
import type { Binding, StartIntent, TurnRecord } from "@rejoin/core/store/Records"
import type { EventDraft, ThreadStore } from "@rejoin/core/store/ThreadStore"
import { Effect } from "effect"
import { around, type CrashPoint, type Reach } from "./CrashPoint.ts"

const ofTurn: Readonly<Record<TurnRecord["status"], CrashPoint>> = {
  deferred: "accept",
  accepted: "accept",
  dispatching: "dispatch",
  running: "run",
  completed: "settle",
  failed: "settle",
  interrupted: "settle"
}

const ofBinding = ({ status }: Binding): CrashPoint => (status === "stopped" ? "end" : "persist")
const ofIntent = ({ step }: StartIntent): CrashPoint => (step === "created" ? "created" : "intent")

const ofEvents = (events: ReadonlyArray<EventDraft>): CrashPoint => {
  const has = (type: RuntimeEventType) => events.some((event) => event.type === type)
  if (has("session.reaped")) return "reap"
  return has("session.exited") ? "end" : "stream"
}

/** A store that tells of every write, before and after it. Reads change nothing and are not told. */
export const crashingStore = (store: ThreadStore["Service"], reach: Reach): ThreadStore["Service"] => {
  const told = around(reach)
  return {
    ...store,
    transaction: (body) =>
      Effect.tap(store.transaction(Effect.tap(body, () => reach("commit", "before"))), () =>
        reach("commit", "after")
      ),
    insertThread: (thread, binding) => told("open", store.insertThread(thread, binding)),
    saveThread: (thread) => told("persist", store.saveThread(thread)),
    purgeThread: (id) => told("end", store.purgeThread(id)),
    deleteThread: (id) => told("end", store.deleteThread(id)),
    nextGeneration: (id) => told("intent", store.nextGeneration(id)),
    saveBinding: (binding) => told(ofBinding(binding), store.saveBinding(binding)),
    addLineage: (entry) => told("persist", store.addLineage(entry)),
    saveIntent: (intent) => told(ofIntent(intent), store.saveIntent(intent)),
    deleteIntent: (intent) => told("persist", store.deleteIntent(intent)),
    saveTurn: (turn) => told(ofTurn[turn.status], store.saveTurn(turn)),
    appendEvents: (events) => told(ofEvents(events), store.appendEvents(events)),
    saveItems: (items) => told("stream", store.saveItems(items)),
    saveRequest: (request) => told("ask", store.saveRequest(request)),
    deleteRequest: (threadId, id) => told("answer", store.deleteRequest(threadId, id)),
    saveReceipt: (receipt) => told("persist", store.saveReceipt(receipt)),
    transcripts: {
      ...store.transcripts,
      append: (head, pieces, after) => told("persist", store.transcripts.append(head, pieces, after))
    }
  }
}
