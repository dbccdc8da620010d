import {
  type SessionHeldElsewhere,
  type StaleGeneration,
  type StoreFailed,
  ThreadNotFound
} from "@rejoin/contracts/Errors"
import { MessageId, type ProviderSessionId, type ThreadId } from "@rejoin/contracts/Ids"
import type { Receipt } from "@rejoin/contracts/Receipt"
import { now, type Timestamp } from "@rejoin/contracts/Time"
import { Context, DateTime, Duration, Effect, Layer, Metric, Option } from "effect"
import * as CoreMetrics from "../CoreMetrics.ts"
import type { Wanted } from "../plan/Plan.ts"
import type { ProviderAdapterShape, ResumeCursor } from "../providers/ProviderAdapter.ts"
import type { Binding, LineageEntry, StartIntent, ThreadRecord } from "../store/Records.ts"
import { Settings } from "../Settings.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { environmentOf } from "../trust/Loading.ts"
import { ThreadStore } from "../store/ThreadStore.ts"

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

/**
 * Which upstream session belongs to which thread: bindings, their generations, their lineage, and the intents of
 * starts that have not ended.
 */
export class SessionDirectory extends Context.Service<
  SessionDirectory,
  {
    readonly get: (threadId: ThreadId) => Effect.Effect<Binding, StoreFailed | ThreadNotFound>
    /** Step ①: the next generation, and an intent that a crash leaves behind. */
    readonly begin: (
      thread: ThreadRecord,
      adapter: ProviderAdapterShape,
      wanted: Wanted
    ) => Effect.Effect<StartIntent, StoreFailed>
    /** Writes a created id into the intent, before anything is done with it. */
    readonly created: (intent: StartIntent, id: ProviderSessionId) => Effect.Effect<void, StoreFailed>
    /** Step ④, guarded by the generation: cursor, lineage, receipt, and the end of the intent. */
    readonly commit: (
      intent: StartIntent,
      outcome: Outcome
    ) => Effect.Effect<void, StoreFailed | StaleGeneration | SessionHeldElsewhere>
    /** Undoes what the start of this intent created and nothing else (law 7), then forgets the intent. */
    readonly abandon: (
      intent: StartIntent,
      adapter: ProviderAdapterShape,
      thread: Pick<ThreadRecord, "extraEnv" | "additionalDirectories">
    ) => Effect.Effect<void>
  }
>()("@rejoin/core/SessionDirectory") {
  static readonly layer = Layer.effect(
    SessionDirectory,
    Effect.gen(function* () {
      const store = yield* ThreadStore
      const events = yield* ThreadEvents
      const settings = yield* Settings

      const get = Effect.fn("SessionDirectory.get")(function* (threadId: ThreadId) {
        const binding = yield* store.getBinding(threadId)
        return Option.isSome(binding) ? binding.value : yield* threadNotFound(threadId)
      })

      const begin = Effect.fn("SessionDirectory.begin")(function* (
        thread: ThreadRecord,
        adapter: ProviderAdapterShape,
        wanted: Wanted
      ) {
        const at = yield* now
        return yield* store.transaction(
          Effect.gen(function* () {
            const generation = yield* store.nextGeneration(thread.id)
            const intent: StartIntent = {
              threadId: thread.id,
              generation,
              instanceId: adapter.id,
              step: "begun",
              titleMark: titleMark(thread.id),
              cwd: wanted.cwd,
              created: [],
              at
            }
            yield* store.saveIntent(intent)
            return intent
          })
        )
      })

      const created = Effect.fn("SessionDirectory.created")(function* (
        intent: StartIntent,
        id: ProviderSessionId
      ) {
        const stored = (yield* store.listIntents).find(
          (row) => row.threadId === intent.threadId && row.generation === intent.generation
        )
        const ids = stored?.created ?? []
        yield* store.saveIntent({ ...intent, step: "created", created: [...ids, id] })
      })

      /** Turns are found upstream by their messages: a fork from one of them, for example. */
      const rename = Effect.fnUntraced(function* (threadId: ThreadId, renamed: ReadonlyMap<string, string>) {
        if (renamed.size === 0) return
        const limit = 500
        let after: string | undefined
        for (;;) {
          const turns = yield* store.listTurns(threadId, { after, limit })
          for (const turn of turns) {
            const id = turn.messageId === null ? undefined : renamed.get(turn.messageId)
            if (id !== undefined) yield* store.saveTurn({ ...turn, messageId: MessageId.make(id) })
          }
          if (turns.length < limit) return
          after = turns.at(-1)?.id
        }
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
              lastSeenAt: at,
              createdAt: at,
              updatedAt: at
            })
            if (
              before &&
              before.providerSessionId !== null &&
              before.providerSessionId !== cursor.providerSessionId
            ) {
              const reason = receipt.reason ?? receipt.outcome
              yield* store.addLineage(lineageOf(before, intent.generation, reason, at))
            }
            if (thread && thread.cwd !== wanted.cwd) {
              yield* store.saveThread({ ...thread, cwd: wanted.cwd, updatedAt: at })
              emit({ type: "thread.updated", data: { cwd: wanted.cwd } })
            }
            yield* rename(intent.threadId, renamed)
            yield* store.saveReceipt(receipt)
            yield* store.deleteIntent(intent)
            yield* Metric.update(Metric.withAttributes(CoreMetrics.starts, { outcome: receipt.outcome }), 1)
            emit({ type: "session.started", turnId: receipt.turnId, data: { receipt } })
          })
        )
      })

      const abandon = Effect.fn("SessionDirectory.abandon")(
        function* (
          intent: StartIntent,
          adapter: ProviderAdapterShape,
          thread: Pick<ThreadRecord, "extraEnv" | "additionalDirectories">
        ) {
          const { bound, intents, lineage } = yield* Effect.all({
            bound: store.getBinding(intent.threadId),
            lineage: store.listLineage(intent.threadId),
            intents: store.listIntents
          })
          const stored = intents.find(
            (row) => row.threadId === intent.threadId && row.generation === intent.generation
          )
          const keep = [...Option.toArray(bound), ...lineage].flatMap(({ providerSessionId }) =>
            providerSessionId === null ? [] : [providerSessionId]
          )
          yield* adapter
            .undo({
              created: (stored?.created ?? intent.created).filter((id) => !keep.includes(id)),
              // Without its binding we cannot tell what of the thread's must stay.
              titleMark: Option.isSome(bound) ? intent.titleMark : null,
              window: windowOf(intent, settings.startTimeout),
              keep,
              cwd: intent.cwd,
              ...environmentOf(thread)
            })
            .pipe(Effect.timeout(settings.callTimeout))
          yield* store.deleteIntent(intent)
        },
        // What cannot be undone now stays as an intent and is undone at the next start-up.
        Effect.catch((error) =>
          Effect.logWarning("A start could not be undone; it is tried again later.", error)
        )
      )

      return SessionDirectory.of({ get, begin, created, commit, abandon })
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

const windowOf = ({ at }: StartIntent, startTimeout: Duration.Duration) => {
  const from = DateTime.toEpochMillis(DateTime.makeUnsafe(at))
  return { from, to: from + Duration.toMillis(startTimeout) }
}

/** Part of the title of every upstream session of a thread: what a crash leaves nameless is found by it. */
export const titleMark = (threadId: ThreadId): string => `[${threadId}]`

export const threadNotFound = (threadId: string) =>
  new ThreadNotFound({ threadId, message: `There is no thread ${threadId}.` })
