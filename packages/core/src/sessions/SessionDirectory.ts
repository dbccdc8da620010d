import {
  type SessionHeldElsewhere,
  type StaleGeneration,
  type StoreFailed,
  ThreadNotFound
} from "@rejoin/contracts/Errors"
import type { MessageId, ThreadId } from "@rejoin/contracts/Ids"
import type { Receipt } from "@rejoin/contracts/Receipt"
import { now, type Timestamp } from "@rejoin/contracts/Time"
import { Context, Effect, Layer, Metric, Option } from "effect"
import * as CoreMetrics from "../CoreMetrics.ts"
import type { Wanted } from "../plan/Plan.ts"
import type { ProviderAdapterShape } from "../providers/ProviderAdapter.ts"
import type { ResumeCursor } from "../providers/ResumeCursor.ts"
import type { Binding, LineageEntry, StartIntent } from "../store/Records.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { renameMessages } from "./RenamedMessages.ts"

/** What a start has come to, to be written in one transaction. */
export interface Outcome {
  readonly wanted: Wanted
  readonly adapter: ProviderAdapterShape
  readonly cursor: ResumeCursor
  readonly mark: MessageId | null
  /** The ids that messages of the conversation have now, by those that they had. */
  readonly renamed: ReadonlyMap<string, string>
  readonly prior: Binding["prior"]
  readonly receipt: Receipt
}

/** Which upstream session belongs to which thread: bindings, their generations and their lineage. */
export class SessionDirectory extends Context.Service<
  SessionDirectory,
  {
    readonly get: (threadId: ThreadId) => Effect.Effect<Binding, StoreFailed | ThreadNotFound>
    /** Step ④, guarded by the generation: cursor, lineage, receipt, and the end of the intent. */
    readonly commit: (
      intent: StartIntent,
      outcome: Outcome
    ) => Effect.Effect<void, StoreFailed | StaleGeneration | SessionHeldElsewhere>
  }
>()("@rejoin/core/SessionDirectory") {
  static readonly layer = Layer.effect(
    SessionDirectory,
    Effect.gen(function* () {
      const store = yield* ThreadStore
      const events = yield* ThreadEvents

      const get = Effect.fn("SessionDirectory.get")(function* (threadId: ThreadId) {
        const binding = yield* store.getBinding(threadId)
        return Option.isSome(binding) ? binding.value : yield* threadNotFound(threadId)
      })

      const commit = Effect.fn("SessionDirectory.commit")(function* (
        intent: StartIntent,
        { adapter, cursor, mark, prior, receipt, renamed, wanted }: Outcome
      ) {
        const at = yield* now
        yield* events.transact(intent, (emit) =>
          Effect.gen(function* () {
            const before = yield* Effect.map(store.getBinding(intent.threadId), Option.getOrUndefined)
            const thread = yield* Effect.map(store.getThread(intent.threadId), Option.getOrUndefined)
            // The thread was deleted meanwhile: `saveBinding` refuses as for any write that comes too late.
            yield* store.saveBinding({
              threadId: intent.threadId,
              instanceId: adapter.id,
              driver: adapter.driver,
              storeId: cursor.storeId,
              providerSessionId: cursor.providerSessionId,
              cursor: adapter.encodeCursor(cursor),
              cwd: wanted.cwd,
              mode: wanted.mode,
              model: wanted.model,
              status: "ready",
              generation: intent.generation,
              prior,
              mark,
              resetRequested: false,
              terminal: null,
              moved: null,
              lastSeenAt: at,
              createdAt: at,
              updatedAt: at
            })
            if (
              before &&
              before.providerSessionId !== null &&
              // Two agents can have sessions of one id.
              (before.providerSessionId !== cursor.providerSessionId || before.instanceId !== adapter.id)
            ) {
              const reason = receipt.reason ?? receipt.outcome
              yield* store.addLineage(lineageOf(before, intent.generation, reason, at))
            }
            const provider = { provider: adapter.id, driver: adapter.driver, model: wanted.model }
            const change = {
              ...(thread?.cwd !== wanted.cwd && { cwd: wanted.cwd }),
              ...(thread?.provider !== adapter.id && provider)
            }
            if (thread && Object.keys(change).length > 0) {
              yield* store.saveThread({ ...thread, ...change, updatedAt: at })
              emit({ type: "thread.updated", data: change })
            }
            yield* renameMessages(store, intent.threadId, renamed)
            yield* store.saveReceipt(receipt)
            yield* store.ownership.settled(intent.threadId)
            const ended = (yield* store.listIntents(intent.threadId)).filter(({ step }) => step === "undone")
            yield* Effect.forEach([intent, ...ended], store.deleteIntent)
            yield* Metric.update(Metric.withAttributes(CoreMetrics.starts, { outcome: receipt.outcome }), 1)
            emit({ type: "session.started", turnId: receipt.turnId, data: { receipt } })
          })
        )
      })

      return SessionDirectory.of({ get, commit })
    })
  )
}

/** The session that a thread had, as it is kept when it has another one. */
export const lineageOf = (
  { cursor, cwd, instanceId, providerSessionId, storeId, threadId }: Binding,
  generation: number,
  reason: string,
  at: Timestamp
): LineageEntry => ({
  threadId,
  generation,
  instanceId,
  storeId,
  providerSessionId,
  cursor,
  cwd,
  reason,
  at
})

export const threadNotFound = (threadId: string) =>
  new ThreadNotFound({ threadId, message: `There is no thread ${threadId}.` })
