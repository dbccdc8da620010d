import * as E from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { Cause, Context, Deferred, Effect, FiberSet, Layer, Option, Queue } from "effect"
import { isOver, LiveSessions } from "../sessions/LiveSessions.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { TurnJournal } from "./TurnJournal.ts"
import { TurnRun } from "./TurnRun.ts"

/** Runs the turns of every thread, one after the other, as they are accepted (T2). */
export class TurnDispatcher extends Context.Service<
  TurnDispatcher,
  {
    /** Looks for a turn to run on this thread; returns at once. */
    readonly look: (threadId: ThreadId) => Effect.Effect<void>
    /** From now on no turn begins: what is accepted waits, over our end if need be (law 6). */
    readonly pause: Effect.Effect<void>
    /** Turns begin, those that waited first. As it is from the beginning. */
    readonly resume: Effect.Effect<void>
  }
>()("@rejoin/core/TurnDispatcher") {
  static readonly layer = Layer.effect(
    TurnDispatcher,
    Effect.gen(function* () {
      const sessions = yield* LiveSessions
      const journal = yield* TurnJournal
      const turns = yield* TurnRun
      const store = yield* ThreadStore
      let paused = false
      const waiting = new Set<ThreadId>()

      const again = (threadId: ThreadId) => Queue.offer(sessions.attention, threadId)

      /**
       * A turn that is under way in the store but on no live session: the store refused to write its end, or its
       * session was gone before it began. It is told as interrupted, and the thread goes on.
       */
      const settleForsaken = Effect.fnUntraced(function* (threadId: ThreadId) {
        const open = yield* store.openTurns(threadId)
        const forsaken = open.filter(({ status }) => status !== "accepted")
        if (forsaken.length === 0) return
        const binding = yield* store.getBinding(threadId)
        const generation = Option.isSome(binding) ? binding.value.generation : 0
        for (const turn of forsaken) {
          const provider = Option.isSome(binding) ? binding.value.instanceId : ""
          const error = E.toFailure(
            new E.ProviderFailed({ provider, message: "The turn lost its session before it was settled." })
          )
          yield* journal.settle(turn.id, { threadId, generation }, { status: "interrupted", error })
        }
      })

      const drain = (threadId: ThreadId) =>
        sessions.withLease(threadId)(
          Effect.gen(function* () {
            if (paused) return void waiting.add(threadId)
            const live = sessions.get(threadId)
            if (live?.turn !== undefined && !isOver(live)) return
            // While it closes, its end settles the turn.
            if (live !== undefined && isOver(live)) yield* Deferred.await(live.closed)
            // Its end may have been ours.
            if (paused) return void waiting.add(threadId)
            yield* settleForsaken(threadId)
            const turn = yield* journal.next(threadId)
            if (Option.isNone(turn)) return
            const done = yield* turns.run(turn.value, () => !paused)
            if (done === "again") yield* again(threadId)
          })
        )

      const fibers = yield* FiberSet.make<void>()
      const look = (threadId: ThreadId): Effect.Effect<void> =>
        drain(threadId).pipe(
          Effect.catchCause((cause) =>
            Cause.hasInterruptsOnly(cause)
              ? Effect.void
              : Effect.logError("A turn could not be run; it is tried again.", cause).pipe(
                  Effect.andThen(Effect.delay(again(threadId), "1 second"))
                )
          ),
          FiberSet.run(fibers),
          Effect.asVoid
        )
      yield* Queue.take(sessions.attention).pipe(Effect.flatMap(look), Effect.forever, Effect.forkScoped)

      return TurnDispatcher.of({
        look,
        pause: Effect.sync(() => {
          paused = true
        }),
        resume: Effect.suspend(() => {
          paused = false
          const threads = [...waiting]
          waiting.clear()
          return Effect.asVoid(Queue.offerAll(sessions.attention, threads))
        })
      })
    })
  )
}
