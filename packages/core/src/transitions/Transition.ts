import * as E from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { Effect, Option } from "effect"
import { threadBusy, Threads } from "../threads/Threads.ts"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import { type EnsureOptions, SessionStart } from "../sessions/SessionStart.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import type { ThreadRecord } from "../store/Records.ts"

/** How a thread goes from one state of its session to another: one at a time, and never under a turn. */
export const makeTransition = Effect.gen(function* () {
  const threads = yield* Threads
  const sessions = yield* LiveSessions
  const starts = yield* SessionStart
  const store = yield* ThreadStore

  const idle = Effect.fnUntraced(function* (id: ThreadId) {
    if ((yield* store.openTurns(id)).length > 0) return yield* threadBusy(id)
  })

  /** A transition of a thread that has no turn; refused, not queued, while another is under way (S7). */
  const transition = Effect.fnUntraced(function* <A, Err, R>(
    id: ThreadId,
    body: (thread: ThreadRecord) => Effect.Effect<A, Err, R>
  ) {
    const done = yield* sessions.ifFree(id)(
      Effect.gen(function* () {
        const thread = yield* threads.record(id)
        yield* idle(id)
        return yield* body(thread)
      })
    )
    if (Option.isSome(done)) return done.value
    yield* threads.record(id)
    yield* idle(id)
    return yield* new E.StartInProgress({
      threadId: id,
      message: "The thread's session is being started.",
      hint: "Try again in a moment."
    })
  })

  const receiptOf = Effect.fnUntraced(function* (
    thread: ThreadRecord,
    cwd: string,
    options?: Pick<EnsureOptions, "claim" | "handOver" | "restore" | "undone">
  ) {
    const wanted = { cwd, mode: thread.runtimeMode, model: thread.model }
    const ready = yield* sessions
      .preemptible(thread.id)(starts.ensure(thread, wanted, options))
      .pipe(Effect.tapErrorTag("MachineAway", () => store.ownership.giveBack(thread.id)))
    if (ready !== "preempted" && ready.receipt !== undefined) return ready.receipt
    // One that was given up too late is alive.
    const live = ready === "preempted" ? sessions.get(thread.id) : ready.live
    if (live === undefined) {
      return yield* new E.ThreadBusy({
        threadId: thread.id,
        message: "The start was given up: it was interrupted."
      })
    }
    return Option.getOrThrow(yield* store.getReceipt(live.receiptId))
  })

  return { idle, transition, receiptOf }
})
