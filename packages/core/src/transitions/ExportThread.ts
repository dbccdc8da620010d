import { InvalidInput, SessionHeldElsewhere } from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { now } from "@rejoin/contracts/Time"
import { Effect, Option } from "effect"
import { bundleOf } from "../bundle/BundleWriting.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import { SessionDirectory } from "../sessions/SessionDirectory.ts"
import { SessionEnd } from "../sessions/SessionEnd.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { TranscriptKeeper } from "../transcripts/TranscriptKeeper.ts"
import { threadBusy } from "../threads/Threads.ts"
import { makeTransition } from "./Transition.ts"

/** A thread goes out in one stream, and, where it moves, is nobody's here any more. */
export const makeExport = Effect.gen(function* () {
  const sessions = yield* LiveSessions
  const ending = yield* SessionEnd
  const directory = yield* SessionDirectory
  const events = yield* ThreadEvents
  const store = yield* ThreadStore
  const keeper = yield* TranscriptKeeper
  const { idle, transition } = yield* makeTransition

  const leave = Effect.fnUntraced(function* (id: ThreadId, to: string | undefined) {
    const live = sessions.get(id)
    if (live !== undefined)
      yield* ending.end(live, { event: "session.exited", reason: "the thread goes elsewhere" })
    const moved = { at: yield* now, to: to ?? null }
    const binding = yield* directory.get(id)
    yield* events
      .transact(binding, (emit) =>
        Effect.gen(function* () {
          // One that was accepted meanwhile is not sent away.
          yield* idle(id)
          if ((yield* store.deferredTurns({ threadId: id })).length > 0) return yield* threadBusy(id)
          yield* store.saveBinding({ ...binding, moved, updatedAt: moved.at })
          emit({ type: "thread.updated", data: { moved } })
        })
      )
      // Nothing starts under our lease.
      .pipe(Effect.catchTag("StaleGeneration", Effect.die))
  })

  return Effect.fn("ProviderService.export")(function* (
    id: ThreadId,
    { move = false, to }: { readonly move?: boolean; readonly to?: string | undefined } = {}
  ) {
    return yield* transition(id, (thread) =>
      Effect.gen(function* () {
        const binding = yield* directory.get(id)
        if (thread.forkedFrom !== undefined && binding.providerSessionId === null) {
          return yield* new InvalidInput({
            field: "id",
            message:
              "This fork has no session of its own yet: without the thread that it comes from it is nothing.",
            hint: "Send something in it first."
          })
        }
        if (binding.terminal !== null) {
          return yield* new SessionHeldElsewhere({
            providerSessionId: binding.providerSessionId,
            message: "The conversation is open in a terminal: what is said there is not known here yet.",
            hint: "Leave it there, then send something, or `rejoin claim` it."
          })
        }
        if (move) yield* leave(id, to)
        yield* keeper.keep(id)
        const head = Option.filter(
          yield* store.transcripts.get(id),
          ({ providerSessionId }) => providerSessionId === binding.providerSessionId
        )
        const at = yield* now
        return bundleOf(store, { thread, binding, head: Option.getOrUndefined(head), at })
      })
    )
  })
})
