import { ProviderFailed } from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { now } from "@rejoin/contracts/Time"
import { type Cause, Context, Effect, Layer, Option, Queue } from "effect"
import { ProviderCall } from "../providers/ProviderCall.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { Settings } from "../Settings.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import type { TranscriptHead } from "../store/TranscriptStore.ts"
import { hashOf, noHash, sizeOf } from "./TranscriptPieces.ts"

/**
 * Takes what is new in the agents' own records into our copies, in the background: nobody waits for it, and it costs what
 * is new. What a crash left out is taken when the thread is next used.
 */
export class TranscriptKeeper extends Context.Service<
  TranscriptKeeper,
  {
    /** Takes it within a moment; returns at once. */
    readonly soon: (threadId: ThreadId) => Effect.Effect<void>
    /** Takes it now. What cannot be read is logged, and tried again the next time. */
    readonly keep: (threadId: ThreadId) => Effect.Effect<void>
  }
>()("@rejoin/core/TranscriptKeeper") {
  static readonly layer = Layer.effect(
    TranscriptKeeper,
    Effect.gen(function* () {
      const store = yield* ThreadStore
      const registry = yield* ProviderRegistry
      const call = yield* ProviderCall
      const { transcripts } = yield* Settings
      const { transcripts: copies } = store
      const told = new Set<ThreadId>()
      const waiting = yield* Queue.unbounded<ThreadId>()

      const take = Effect.fnUntraced(function* (threadId: ThreadId) {
        const binding = Option.getOrUndefined(yield* store.getBinding(threadId))
        if (binding?.providerSessionId == null) return
        const adapter = yield* registry.get(binding.instanceId)
        const cursor = adapter.decodeCursor(binding.cursor)
        if (adapter.transcript === undefined || Option.isNone(cursor)) return
        const held = Option.filter(
          yield* copies.get(threadId),
          ({ providerSessionId, storeId }) =>
            providerSessionId === binding.providerSessionId && storeId === binding.storeId
        )
        const before = Option.getOrUndefined(held)
        const read = yield* call.within(
          adapter,
          "transcript",
          adapter.transcript(cursor.value, before?.position, transcripts.maxBytes)
        )
        if (Option.isNone(read)) return
        const { pieces, position } = read.value
        const anew = read.value.anew || before === undefined
        if (pieces.length === 0 && before?.mark === binding.mark) return
        const bytes = (anew ? 0 : before.bytes) + sizeOf(pieces)
        if (bytes > transcripts.maxBytes) {
          const message = `it would be larger (${bytes} bytes) than transcripts.maxMegabytes allows`
          return yield* new ProviderFailed({ provider: adapter.id, message })
        }
        const turn =
          binding.mark === null || binding.mark === before?.mark
            ? undefined
            : Option.getOrUndefined(yield* store.findMessage(threadId, binding.mark))
        const at = yield* now
        const head: TranscriptHead = {
          threadId,
          providerSessionId: binding.providerSessionId,
          driver: binding.driver,
          // Asked once a copy: an agent may have to be started to tell all that its info says.
          agentVersion: anew ? (yield* adapter.info).version : before.agentVersion,
          storeId: binding.storeId,
          cwd: binding.cwd,
          startedAt: before?.startedAt ?? at,
          mark: binding.mark,
          upToTurnId: turn?.id ?? before?.upToTurnId ?? null,
          bytes,
          hash: yield* hashOf(anew ? noHash : before.hash, pieces),
          position,
          at
        }
        yield* copies.append(head, pieces, anew ? null : before.hash)
      })

      /** Once for each thread, until it goes well again: it is tried after every turn. */
      const tell = (threadId: ThreadId, cause: Cause.Cause<unknown>) => {
        if (told.has(threadId)) return Effect.void
        told.add(threadId)
        return Effect.logWarning(
          `The conversation of ${threadId} could not be copied; it is tried again.`,
          cause
        )
      }
      const keep = Effect.fn("TranscriptKeeper.keep")((threadId: ThreadId) =>
        transcripts.keep
          ? take(threadId).pipe(
              Effect.tap(() => Effect.sync(() => told.delete(threadId))),
              Effect.catchCause((cause) => tell(threadId, cause))
            )
          : Effect.void
      )

      // What it did not come to waits again.
      const all = Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(Queue.clear(waiting), (threads) =>
          Effect.onInterrupt(restore(Effect.forEach(new Set(threads), keep, { discard: true })), () =>
            Queue.offerAll(waiting, threads)
          )
        )
      )
      // Whoever stops us waits a moment for it, and no longer, whatever an agent does: what is lost meanwhile could not be
      // given back.
      yield* Effect.addFinalizer(() => Effect.ignore(Effect.timeout(Effect.interruptible(all), "5 seconds")))
      // An agent writes its last line a moment after it has answered; what comes within that moment is taken once.
      yield* Queue.peek(waiting).pipe(
        Effect.andThen(Effect.sleep("300 millis")),
        Effect.andThen(all),
        Effect.forever,
        Effect.forkScoped
      )

      return TranscriptKeeper.of({
        soon: (threadId) => (transcripts.keep ? Effect.asVoid(Queue.offer(waiting, threadId)) : Effect.void),
        keep
      })
    })
  )
}
