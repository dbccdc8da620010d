import { ProviderFailed, type StoreFailed, toFailure } from "@rejoin/contracts/Errors"
import type { Failure } from "@rejoin/contracts/Failure"
import { now } from "@rejoin/contracts/Time"
import { Context, Effect, Layer, Metric, Option, Queue } from "effect"
import * as CoreMetrics from "../CoreMetrics.ts"
import { type LiveSession, LiveSessions, openItems, type RunningTurn } from "./LiveSessions.ts"
import { closeRequests } from "../turns/PendingRequests.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { TranscriptKeeper } from "../transcripts/TranscriptKeeper.ts"
import { GoingOn } from "../turns/GoingOn.ts"
import type { GoesOn } from "../turns/NewTurn.ts"
import { TurnJournal } from "../turns/TurnJournal.ts"

export interface Ending {
  readonly event: "session.exited" | "session.reaped"
  readonly reason: string
  /** What becomes of a turn that was running; without it, it is told that the session ended under it. */
  readonly turn?: {
    readonly status: "failed" | "interrupted"
    readonly error?: Failure
    readonly goesOn?: GoesOn | undefined
  }
  /** Where nobody wanted it: then its turn may go on with another one. */
  readonly endedBy?: "server" | "agent"
}

/**
 * How a live session ends, whatever ended it: its running turn is settled, one event is emitted (C19), its scope is
 * closed and awaited (law 9). The binding stays.
 */
export class SessionEnd extends Context.Service<
  SessionEnd,
  { readonly end: (live: LiveSession, ending: Ending) => Effect.Effect<void, StoreFailed> }
>()("@rejoin/core/SessionEnd") {
  static readonly layer = Layer.effect(
    SessionEnd,
    Effect.gen(function* () {
      const sessions = yield* LiveSessions
      const journal = yield* TurnJournal
      const events = yield* ThreadEvents
      const store = yield* ThreadStore
      const keeper = yield* TranscriptKeeper
      const goingOn = yield* GoingOn

      const settleTurn = Effect.fnUntraced(function* (
        live: LiveSession,
        turn: RunningTurn,
        { endedBy, reason, turn: settlement }: Ending
      ) {
        const error = toFailure(
          new ProviderFailed({
            provider: live.adapter.id,
            message: `The session ended in the middle of the turn: ${reason}.`,
            hint: "Send again: the conversation goes on from what the provider kept."
          })
        )
        const limit = turn.limit && { status: "failed" as const, error: turn.limit }
        const { adapter, session } = live
        const goesOn = limit
          ? yield* goingOn.afterFailure(turn.id, turn.limit, { adapter, cursor: session.cursor })
          : endedBy && (yield* goingOn.afterEnd(turn.id, endedBy))
        yield* journal.settle(turn.id, live, {
          status: "interrupted",
          error,
          goesOn,
          ...limit,
          ...settlement,
          open: openItems(turn)
        })
        live.turn = undefined
      })

      const record = Effect.fnUntraced(function* (live: LiveSession, ending: Ending) {
        const { event, reason } = ending
        if (live.turn !== undefined) yield* settleTurn(live, live.turn, ending)
        yield* events.transact(live, (emit) =>
          Effect.gen(function* () {
            // What it asked between turns cannot be answered any more either.
            yield* closeRequests(store, live.threadId, emit)
            const binding = yield* store.getBinding(live.threadId)
            const at = yield* now
            if (Option.isSome(binding) && binding.value.generation === live.generation) {
              yield* store
                .saveBinding({ ...binding.value, status: "stopped", lastSeenAt: at, updatedAt: at })
                .pipe(Effect.catchTags({ StaleGeneration: Effect.die, SessionHeldElsewhere: Effect.die }))
            }
            emit({ type: event, data: { reason } })
          })
        )
      })

      const end = Effect.fn("SessionEnd.end")(function* (live: LiveSession, ending: Ending) {
        const first = !live.ended
        live.ended = true
        if (first) yield* Metric.update(Metric.withAttributes(CoreMetrics.ends, { by: ending.event }), 1)
        // The scope is closed even where the store refuses: nothing outlives its session.
        yield* (first ? record(live, ending) : Effect.void).pipe(
          Effect.ensuring(sessions.close(live)),
          // Now it has written all that it writes.
          Effect.ensuring(keeper.soon(live.threadId)),
          // What waits for its turn gets another session.
          Effect.ensuring(Queue.offer(sessions.attention, live.threadId)),
          Effect.ensuring(Effect.suspend(() => Metric.update(CoreMetrics.live, sessions.list().length))),
          Effect.uninterruptible
        )
      })

      return SessionEnd.of({ end })
    })
  )
}
