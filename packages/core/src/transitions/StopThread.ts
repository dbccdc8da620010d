import * as E from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { now } from "@rejoin/contracts/Time"
import { Effect } from "effect"
import { Threads } from "../threads/Threads.ts"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import { SessionEnd } from "../sessions/SessionEnd.ts"
import { SessionDirectory } from "../sessions/SessionDirectory.ts"
import { TurnJournal } from "../turns/TurnJournal.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { makeTransition } from "./Transition.ts"

/** A session is ended, and what waits for it; the next one may begin anew. */
export const makeStop = Effect.gen(function* () {
  const threads = yield* Threads
  const sessions = yield* LiveSessions
  const ending = yield* SessionEnd
  const directory = yield* SessionDirectory
  const journal = yield* TurnJournal
  const events = yield* ThreadEvents
  const store = yield* ThreadStore
  const { idle } = yield* makeTransition

  const stop = Effect.fn("ProviderService.stop")(function* (id: ThreadId) {
    yield* threads.record(id)
    // What is sent after it was asked for is not ended by it, however long it takes.
    const open = new Set((yield* store.openTurns(id)).map((turn) => turn.id))
    const preempted = yield* sessions.preempt(id)
    yield* sessions.withLease(id)(
      Effect.gen(function* () {
        const live = sessions.get(id)
        const { generation } = yield* directory.get(id)
        yield* journal.withdrawGoingOn({ threadId: id, generation })
        const still = yield* store.openTurns(id)
        const waiting = still.filter((turn) => turn.status === "accepted" && open.has(turn.id))
        for (const turn of waiting) {
          yield* journal.settle(turn.id, { threadId: id, generation }, { status: "interrupted" })
        }
        // What has begun since is not what was to be stopped.
        if (still.some((turn) => turn.id === live?.turn?.id && !open.has(turn.id))) return
        if (live !== undefined) {
          yield* ending.end(live, {
            event: "session.exited",
            reason: "stopped",
            turn: { status: "interrupted" }
          })
          // Its turn may have met a limit at that moment.
          return yield* journal.withdrawGoingOn({ threadId: id, generation })
        }
        if (preempted || waiting.length > 0) return
        return yield* new E.SessionNotRunning({
          threadId: id,
          message: "The thread has no live session."
        })
      })
    )
  })

  const reset = Effect.fn("ProviderService.reset")(function* (id: ThreadId) {
    yield* threads.record(id)
    yield* sessions.withLease(id)(
      Effect.gen(function* () {
        yield* idle(id)
        const live = sessions.get(id)
        if (live !== undefined) yield* ending.end(live, { event: "session.exited", reason: "reset" })
        const binding = yield* directory.get(id)
        yield* journal.withdrawGoingOn(binding)
        const at = yield* now
        yield* events.transact(binding, (emit) =>
          Effect.map(
            store.saveBinding({
              ...binding,
              resetRequested: true,
              terminal: null,
              moved: null,
              updatedAt: at
            }),
            () => emit({ type: "thread.updated", data: { reset: true } })
          )
        )
      }).pipe(Effect.catchTags({ StaleGeneration: Effect.die, SessionHeldElsewhere: Effect.die }))
    )
  })

  return { stop, reset }
})
