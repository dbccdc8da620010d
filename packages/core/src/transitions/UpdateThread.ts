import type * as Requests from "@rejoin/contracts/api/Requests"
import * as E from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { now } from "@rejoin/contracts/Time"
import { Effect } from "effect"
import { Threads } from "../threads/Threads.ts"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import { SessionEnd } from "../sessions/SessionEnd.ts"
import { SessionDirectory } from "../sessions/SessionDirectory.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { ProviderCall } from "../providers/ProviderCall.ts"
import type { ThreadRecord } from "../store/Records.ts"
import { SessionStart } from "../sessions/SessionStart.ts"
import { TurnJournal } from "../turns/TurnJournal.ts"
import { makeTransition } from "./Transition.ts"

/** Title, mode, model of a thread, and what becomes of it at a limit. */
export const makeUpdate = Effect.gen(function* () {
  const starts = yield* SessionStart
  const threads = yield* Threads
  const sessions = yield* LiveSessions
  const ending = yield* SessionEnd
  const directory = yield* SessionDirectory
  const registry = yield* ProviderRegistry
  const events = yield* ThreadEvents
  const store = yield* ThreadStore
  const call = yield* ProviderCall
  const journal = yield* TurnJournal
  const { idle } = yield* makeTransition

  const update = Effect.fn("ProviderService.update")(function* (id: ThreadId, change: Requests.UpdateThread) {
    const thread = yield* threads.record(id)
    const adapter = yield* registry.get(thread.provider)
    const { modes } = yield* call.within(adapter, "detect", adapter.capabilities).pipe(
      Effect.map(({ runtimeModes }) => ({ modes: runtimeModes })),
      // An agent that cannot be asked now is asked at the next start, which refuses what it cannot do.
      Effect.orElseSucceed(() => ({ modes: undefined }))
    )
    if (change.runtimeMode && modes && !modes.includes(change.runtimeMode)) {
      return yield* new E.CapabilityMissing({
        capability: `runtimeMode:${change.runtimeMode}`,
        message: `This provider cannot enforce the runtime mode ${change.runtimeMode}.`
      })
    }
    const write = Effect.gen(function* () {
      const at = yield* now
      const { generation } = yield* directory.get(id)
      // Read within the transaction: a running turn writes its thread too.
      return yield* events.transact(
        { threadId: id, generation },
        (emit) =>
          Effect.gen(function* () {
            const { onLimit, ...before } = yield* threads.record(id)
            const wanted = change.onLimit === undefined ? onLimit : change.onLimit
            const next: ThreadRecord = {
              ...before,
              ...(change.title !== undefined && { title: change.title }),
              ...(change.runtimeMode && { runtimeMode: change.runtimeMode }),
              ...(change.model && { model: change.model }),
              ...(wanted && { onLimit: wanted }),
              updatedAt: at
            }
            yield* store.saveThread(next)
            emit({ type: "thread.updated", data: change })
            return next
          }),
        { by: "anyone" }
      )
    }).pipe(
      Effect.tap(() =>
        change.onLimit === "fail" ? Effect.flatMap(directory.get(id), journal.withdrawGoingOn) : Effect.void
      )
    )
    // What is nobody's business but ours waits for no start.
    if (change.runtimeMode === undefined && change.model === undefined) return void (yield* write)
    yield* sessions.withLease(id)(
      Effect.gen(function* () {
        yield* idle(id)
        const next = yield* write
        const live = sessions.get(id)
        if (live === undefined || live.ended) return
        const wanted = { cwd: next.cwd, mode: next.runtimeMode, model: next.model }
        // What cannot follow now is closed: the next start applies and verifies it.
        yield* starts
          .ensure(next, wanted)
          .pipe(
            Effect.catch((error) =>
              ending.end(sessions.get(id) ?? live, { event: "session.exited", reason: error.message })
            )
          )
      })
    )
  })

  return update
})
