import type { StoreFailed } from "@rejoin/contracts/Errors"
import { Context, Effect, Layer, Option } from "effect"
import type { ForkPoint } from "../providers/ProviderAdapter.ts"
import type { Binding, ThreadRecord } from "../store/Records.ts"
import { ThreadStore } from "../store/ThreadStore.ts"

/** Whose upstream conversation a start goes on with. */
export interface Source {
  /** The thread's own binding, or that of the thread that it is a fork of. */
  readonly binding: Binding
  /** Absent where the thread goes on with its own conversation. */
  readonly fork?: ForkPoint
}

/**
 * A thread goes on with its own conversation. One that is a fork and has none yet starts from its origin's, however
 * often that start fails: it never starts empty instead (law 1).
 */
export class ConversationSource extends Context.Service<
  ConversationSource,
  { readonly of: (thread: ThreadRecord, binding: Binding) => Effect.Effect<Source, StoreFailed> }
>()("@rejoin/core/ConversationSource") {
  static readonly layer = Layer.effect(
    ConversationSource,
    Effect.gen(function* () {
      const store = yield* ThreadStore

      const pointOf = Effect.fnUntraced(function* ({
        threadId,
        turnId
      }: NonNullable<ThreadRecord["forkedFrom"]>) {
        if (turnId === undefined) return "end" as const
        const turn = yield* store.getTurn(turnId)
        const later = yield* store.listTurns(threadId, { after: turnId, limit: 100 })
        const last = Option.getOrUndefined(turn)?.messageId ?? null
        const next = later.find(({ messageId }) => messageId !== null)?.messageId ?? null
        return last === null ? ("end" as const) : { last, next }
      })

      const of = Effect.fn("ConversationSource.of")(function* (thread: ThreadRecord, binding: Binding) {
        const { forkedFrom } = thread
        if (forkedFrom === undefined || binding.providerSessionId !== null || binding.resetRequested) {
          return { binding }
        }
        const origin = yield* store.getBinding(forkedFrom.threadId)
        const fork = yield* pointOf(forkedFrom)
        // The origin was deleted: there was a history, and no cursor leads to it any more.
        const gone: Binding = { ...binding, prior: "some", cursor: null }
        return { binding: Option.getOrElse(origin, () => gone), fork }
      })

      return ConversationSource.of({ of })
    })
  )
}
