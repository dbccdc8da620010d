import type { StoreFailed } from "@rejoin/contracts/Errors"
import type { ProviderSessionId, ThreadId } from "@rejoin/contracts/Ids"
import { now } from "@rejoin/contracts/Time"
import { Context, DateTime, Duration, Effect, Layer, Option } from "effect"
import type { Wanted } from "../plan/Plan.ts"
import type { ProviderAdapterShape } from "../providers/ProviderAdapter.ts"
import { Settings } from "../Settings.ts"
import type { StartIntent, ThreadRecord } from "../store/Records.ts"
import { lockOurs } from "../store/Ownership.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { environmentOf } from "../trust/Loading.ts"

/** Starts that have not ended: what each has created is written down first, so that it can be undone (law 7). */
export class StartIntents extends Context.Service<
  StartIntents,
  {
    /** Step ①: the next generation, and an intent that a crash leaves behind. */
    readonly begin: (
      thread: ThreadRecord,
      adapter: ProviderAdapterShape,
      wanted: Wanted,
      restores: boolean
    ) => Effect.Effect<StartIntent, StoreFailed>
    /** Whether an earlier start may have written the thread's lost session back, and did not end. */
    readonly halfRestored: (threadId: ThreadId) => Effect.Effect<boolean, StoreFailed>
    /** Writes a created id into the intent, before anything is done with it. */
    readonly created: (intent: StartIntent, id: ProviderSessionId) => Effect.Effect<void, StoreFailed>
    /** Undoes what the start of this intent created and nothing else (law 7), then forgets the intent. */
    readonly abandon: (
      intent: StartIntent,
      adapter: ProviderAdapterShape,
      thread: Pick<ThreadRecord, "extraEnv" | "additionalDirectories">
    ) => Effect.Effect<void>
  }
>()("@rejoin/core/StartIntents") {
  static readonly layer = Layer.effect(
    StartIntents,
    Effect.gen(function* () {
      const store = yield* ThreadStore
      const settings = yield* Settings

      const begin = Effect.fn("StartIntents.begin")(function* (
        thread: ThreadRecord,
        adapter: ProviderAdapterShape,
        wanted: Wanted,
        restores: boolean
      ) {
        const at = yield* now
        const intent = yield* store.transaction(
          Effect.gen(function* () {
            yield* lockOurs(store, thread.id)
            const generation = yield* store.nextGeneration(thread.id)
            const intent: StartIntent = {
              threadId: thread.id,
              generation,
              instanceId: adapter.id,
              step: "begun",
              titleMark: titleMark(thread.id),
              cwd: wanted.cwd,
              created: [],
              ...(restores && { restores: true as const }),
              at
            }
            yield* store.saveIntent(intent)
            return intent
          })
        )
        yield* store.durable
        return intent
      })

      const created = Effect.fn("StartIntents.created")(function* (
        intent: StartIntent,
        id: ProviderSessionId
      ) {
        const stored = (yield* store.listIntents(intent.threadId)).find(
          (row) => row.generation === intent.generation
        )
        const ids = stored?.created ?? []
        yield* store.saveIntent({ ...intent, step: "created", created: [...ids, id] })
        yield* store.durable
      })

      const abandon = Effect.fn("StartIntents.abandon")(
        function* (
          intent: StartIntent,
          adapter: ProviderAdapterShape,
          thread: Pick<ThreadRecord, "extraEnv" | "additionalDirectories">
        ) {
          const { bound, intents, lineage } = yield* Effect.all({
            bound: store.getBinding(intent.threadId),
            lineage: store.listLineage(intent.threadId),
            intents: store.listIntents(intent.threadId)
          })
          const stored = intents.find((row) => row.generation === intent.generation)
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
          yield* intent.restores === true
            ? store.saveIntent({ ...intent, step: "undone", created: [] })
            : store.deleteIntent(intent)
        },
        // What cannot be undone now stays as an intent and is undone at the next start-up.
        Effect.catch((error) =>
          Effect.logWarning("A start could not be undone; it is tried again later.", error)
        )
      )

      const halfRestored = Effect.fn("StartIntents.halfRestored")(function* (threadId: ThreadId) {
        return (yield* store.listIntents(threadId)).some((row) => row.restores === true)
      })

      return StartIntents.of({ begin, created, abandon, halfRestored })
    })
  )
}

const windowOf = ({ at }: StartIntent, startTimeout: Duration.Duration) => {
  const from = DateTime.toEpochMillis(DateTime.makeUnsafe(at))
  return { from, to: from + Duration.toMillis(startTimeout) }
}

/** Part of the title of every upstream session of a thread: what a crash leaves nameless is found by it. */
export const titleMark = (threadId: ThreadId): string => `[${threadId}]`
