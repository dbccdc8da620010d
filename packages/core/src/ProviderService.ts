import type * as Requests from "@rejoin/contracts/api/Requests"
import * as E from "@rejoin/contracts/Errors"
import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { Receipt } from "@rejoin/contracts/Receipt"
import type { TerminalCommand } from "@rejoin/contracts/Terminal"
import type { Thread } from "@rejoin/contracts/Thread"
import { now } from "@rejoin/contracts/Time"
import { Context, Effect, Layer, Option, Schedule } from "effect"
import { ConversationSource } from "./threads/ConversationSource.ts"
import { LiveSessions } from "./sessions/LiveSessions.ts"
import { ProviderCall } from "./providers/ProviderCall.ts"
import { ProviderRegistry } from "./providers/ProviderRegistry.ts"
import type { ThreadRecord } from "./store/Records.ts"
import { SessionDirectory } from "./sessions/SessionDirectory.ts"
import { SessionEnd } from "./sessions/SessionEnd.ts"
import { SessionStart } from "./sessions/SessionStart.ts"
import { ThreadEvents } from "./events/ThreadEvents.ts"
import { lacking, Terminals } from "./terminal/Terminals.ts"
import { threadBusy, Threads } from "./threads/Threads.ts"
import { ThreadStore } from "./store/ThreadStore.ts"
import { TurnControl } from "./turns/TurnControl.ts"
import { TurnDispatcher } from "./turns/TurnDispatcher.ts"
import { TurnJournal } from "./turns/TurnJournal.ts"
import { WorkingDirectory } from "./threads/WorkingDirectory.ts"

type Missing = E.ThreadNotFound | E.StoreFailed

/** What can be done with a thread's session and its turns, whatever the provider behind it. */
export class ProviderService extends Context.Service<
  ProviderService,
  TurnControl["Service"] & {
    /** Brings the session to life without a turn; the receipt of that start, or of the one that serves. */
    readonly start: (
      id: ThreadId
    ) => Effect.Effect<Receipt, Missing | E.ThreadBusy | E.StartInProgress | E.StartFailure>
    /** Ends the session and the turns that wait for it; the binding stays. */
    readonly stop: (id: ThreadId) => Effect.Effect<void, Missing | E.SessionNotRunning>
    /** The next turn starts anew; the old session stays in the lineage. */
    readonly reset: (id: ThreadId) => Effect.Effect<void, Missing | E.ThreadBusy>
    /** Carries the conversation into another directory, now. Where that fails, nothing has changed. */
    readonly move: (
      id: ThreadId,
      cwd: string
    ) => Effect.Effect<Receipt, Missing | E.ThreadBusy | E.StartInProgress | E.CwdNotAllowed | E.StartFailure>
    /**
     * A new thread that goes on from this one's conversation, as it is now or as it was when a turn had settled. It
     * is live when this returns; where that fails, there is no new thread.
     */
    readonly fork: (
      id: ThreadId,
      to: { readonly turnId?: TurnId | undefined; readonly cwd?: string | undefined }
    ) => Effect.Effect<
      Thread,
      | Missing
      | E.TurnNotFound
      | E.ThreadBusy
      | E.StartInProgress
      | E.CwdNotAllowed
      | E.InvalidInput
      | E.StartFailure
    >
    /**
     * Hands the session to the user's own terminal: brought to life and checked as for a turn, then ended here.
     * Returns how the agent's own interface opens it. Until that has ended there, nothing is started for the thread.
     */
    readonly release: (
      id: ThreadId,
      flags: ReadonlyArray<string>
    ) => Effect.Effect<
      TerminalCommand,
      Missing | E.ThreadBusy | E.StartInProgress | E.InvalidInput | E.StartFailure
    >
    /** Takes it back, in whichever session the terminal went on; the receipt of that start. */
    readonly claim: (
      id: ThreadId
    ) => Effect.Effect<Receipt, Missing | E.ThreadBusy | E.StartInProgress | E.StartFailure>
    /** Title at any time; mode and model between turns. A live session that cannot follow is closed. */
    readonly update: (
      id: ThreadId,
      change: Requests.UpdateThread
    ) => Effect.Effect<void, Missing | E.ThreadBusy | E.ProviderNotFound | E.CapabilityMissing>
  }
>()("@rejoin/core/ProviderService") {
  static readonly layer = Layer.effect(
    ProviderService,
    Effect.gen(function* () {
      const threads = yield* Threads
      const sessions = yield* LiveSessions
      const starts = yield* SessionStart
      const ending = yield* SessionEnd
      const directory = yield* SessionDirectory
      const directories = yield* WorkingDirectory
      const registry = yield* ProviderRegistry
      const journal = yield* TurnJournal
      const turns = yield* TurnControl
      const dispatcher = yield* TurnDispatcher
      const events = yield* ThreadEvents
      const store = yield* ThreadStore
      const call = yield* ProviderCall
      const sources = yield* ConversationSource
      const terminals = yield* Terminals

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

      const receiptOf = Effect.fnUntraced(function* (thread: ThreadRecord, cwd: string, claim = false) {
        const wanted = { cwd, mode: thread.runtimeMode, model: thread.model }
        const ready = yield* sessions.preemptible(thread.id)(starts.ensure(thread, wanted, { claim }))
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

      const start = Effect.fn("ProviderService.start")(function* (id: ThreadId) {
        return yield* transition(id, (thread) => receiptOf(thread, thread.cwd))
      })

      const move = Effect.fn("ProviderService.move")(function* (id: ThreadId, cwd: string) {
        const real = yield* directories.admit(cwd)
        return yield* transition(id, (thread) => receiptOf(thread, real))
      })

      const forkable = Effect.fnUntraced(function* (thread: ThreadRecord, turnId: TurnId | undefined) {
        const adapter = yield* registry.get(thread.provider)
        const { fork } = yield* call.within(adapter, "detect", adapter.capabilities)
        const what = turnId === undefined ? "whole" : "turn"
        if (!fork.includes(what)) {
          return yield* new E.CapabilityMissing({
            capability: `fork:${what}`,
            message:
              what === "whole"
                ? "This provider cannot fork a conversation."
                : "This provider can fork a conversation only as it is now."
          })
        }
        if (turnId === undefined) return
        const turn = Option.filter(yield* store.getTurn(turnId), ({ threadId }) => threadId === thread.id)
        if (Option.isNone(turn)) {
          return yield* new E.TurnNotFound({ turnId, message: `There is no turn ${turnId} in this thread.` })
        }
        if (turn.value.messageId === null) {
          return yield* new E.InvalidInput({
            field: "turnId",
            message: "This turn never reached the provider: the conversation has no such point."
          })
        }
      })

      const fork = Effect.fn("ProviderService.fork")(function* (
        id: ThreadId,
        { cwd, turnId }: { readonly turnId?: TurnId | undefined; readonly cwd?: string | undefined }
      ) {
        const real = cwd === undefined ? undefined : yield* directories.admit(cwd)
        return yield* transition(id, (origin) =>
          Effect.gen(function* () {
            yield* forkable(origin, turnId)
            const { id: forkId } = yield* threads.fork(origin, { cwd: real ?? origin.cwd, turnId })
            const thread = yield* threads.record(forkId)
            yield* sessions
              .withLease(forkId)(receiptOf(thread, thread.cwd))
              // It was there to be seen: what somebody has said in it meanwhile is not lost with it.
              .pipe(Effect.onError(() => Effect.ignore(threads.remove(forkId, { unused: true }))))
            return yield* threads.get(forkId)
          })
        )
      })

      const release = Effect.fn("ProviderService.release")(function* (
        id: ThreadId,
        flags: ReadonlyArray<string>
      ) {
        return yield* transition(id, (thread) =>
          Effect.gen(function* () {
            const adapter = yield* registry.get(thread.provider)
            const { terminal } = yield* call.within(adapter, "detect", adapter.capabilities)
            if (!terminal) return yield* lacking
            const binding = yield* directory.get(id)
            const { binding: spoken } = yield* sources.of(thread, binding)
            // An agent keeps no session in which nothing was said: there is none to open (E2).
            if (spoken.prior === "none") {
              return yield* new E.InvalidInput({
                field: "id",
                message: "Nothing was said in this thread yet: there is no session to open.",
                hint: "Send something first."
              })
            }
            const receipt = yield* receiptOf(thread, thread.cwd)
            // A conversation that began anew just now is not handed over as if it were the old one (law 1).
            const isNew = receipt.generation > binding.generation
            if (isNew && (receipt.outcome === "replaced" || receipt.outcome === "created")) {
              return yield* new E.UpstreamLost({
                providerSessionId: receipt.providerSessionIdBefore,
                message: `The conversation is not there any more: ${receipt.reason ?? receipt.outcome}. A new one was begun, and is empty.`,
                hint: "Send something first."
              })
            }
            const live = sessions.get(id)
            if (live === undefined) return yield* threadBusy(id)
            // Something may have been sent while it started: that comes first.
            yield* idle(id)
            return yield* terminals.release(thread, live, flags)
          })
        )
      })

      const claim = Effect.fn("ProviderService.claim")(function* (id: ThreadId) {
        return yield* transition(id, (thread) => receiptOf(thread, thread.cwd, true))
      })

      const stop = Effect.fn("ProviderService.stop")(function* (id: ThreadId) {
        yield* threads.record(id)
        // What is sent after it was asked for is not ended by it, however long it takes.
        const open = new Set((yield* store.openTurns(id)).map((turn) => turn.id))
        const preempted = yield* sessions.preempt(id)
        yield* sessions.withLease(id)(
          Effect.gen(function* () {
            const live = sessions.get(id)
            const { generation } = yield* directory.get(id)
            const still = yield* store.openTurns(id)
            const waiting = still.filter((turn) => turn.status === "accepted" && open.has(turn.id))
            for (const turn of waiting) {
              yield* journal.settle(turn.id, { threadId: id, generation }, { status: "interrupted" })
            }
            // What has begun since is not what was to be stopped.
            if (still.some((turn) => turn.id === live?.turn?.id && !open.has(turn.id))) return
            if (live !== undefined) {
              return yield* ending.end(live, {
                event: "session.exited",
                reason: "stopped",
                turn: { status: "interrupted" }
              })
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
            const at = yield* now
            yield* events.transact(binding, (emit) =>
              Effect.map(
                store.saveBinding({ ...binding, resetRequested: true, terminal: null, updatedAt: at }),
                () => emit({ type: "thread.updated", data: { reset: true } })
              )
            )
          }).pipe(Effect.catchTags({ StaleGeneration: Effect.die, SessionHeldElsewhere: Effect.die }))
        )
      })

      const update = Effect.fn("ProviderService.update")(function* (
        id: ThreadId,
        change: Requests.UpdateThread
      ) {
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
          return yield* events.transact({ threadId: id, generation }, (emit) =>
            Effect.gen(function* () {
              const next: ThreadRecord = {
                ...(yield* threads.record(id)),
                ...(change.title !== undefined && { title: change.title }),
                ...(change.runtimeMode && { runtimeMode: change.runtimeMode }),
                ...(change.model && { model: change.model }),
                updatedAt: at
              }
              yield* store.saveThread(next)
              emit({ type: "thread.updated", data: change })
              return next
            })
          )
        })
        // A title is nobody's business but ours: it waits for no start.
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

      // A session that is alive when the service closes ends as any other: its turn comes back as interrupted. What
      // waits behind it does not begin now: it would be cut off, and lost (law 6).
      yield* Effect.addFinalizer(() =>
        Effect.andThen(
          dispatcher.pause,
          Effect.forEach(
            sessions.list(),
            (live) =>
              ending
                .end(live, {
                  event: "session.exited",
                  reason: "the server stopped",
                  turn: { status: "interrupted" }
                })
                .pipe(Effect.retry(Schedule.recurs(1)), Effect.ignore),
            { concurrency: "unbounded", discard: true }
          )
        )
      )

      return ProviderService.of({ ...turns, start, stop, reset, move, fork, release, claim, update })
    })
  )
}
