import type * as Requests from "@rejoin/contracts/api/Requests"
import type * as E from "@rejoin/contracts/Errors"
import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { Receipt } from "@rejoin/contracts/Receipt"
import type { TerminalCommand } from "@rejoin/contracts/Terminal"
import type { Thread } from "@rejoin/contracts/Thread"
import { Context, Effect, Layer, Schedule, type Stream } from "effect"
import { LiveSessions } from "./sessions/LiveSessions.ts"
import { SessionEnd } from "./sessions/SessionEnd.ts"
import { WorkingDirectory } from "./threads/WorkingDirectory.ts"
import { makeAcceptHistory } from "./transitions/AcceptHistory.ts"
import { makeFork } from "./transitions/ForkThread.ts"
import { makeExport } from "./transitions/ExportThread.ts"
import { makeModelListing } from "./providers/ModelListing.ts"
import { makeOwnListing } from "./providers/OwnListing.ts"
import { makeAdopt } from "./transitions/AdoptSession.ts"
import { type HandOver, makeHandOver } from "./transitions/HandOverThread.ts"
import { makeImport } from "./transitions/ImportThread.ts"
import { makeRelease } from "./transitions/ReleaseThread.ts"
import { makeStop } from "./transitions/StopThread.ts"
import { makeTransition } from "./transitions/Transition.ts"
import { makeUpdate } from "./transitions/UpdateThread.ts"
import { TurnControl } from "./turns/TurnControl.ts"
import { TurnDispatcher } from "./turns/TurnDispatcher.ts"

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
     * is live when this returns; where that fails, there is no new thread. With a provider it is another agent's.
     */
    readonly fork: (
      id: ThreadId,
      to: { readonly turnId?: TurnId | undefined } & Partial<HandOver>
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
     * Returns how the agent's own interface opens it; a new one, where nothing was said yet. Until that has ended there,
     * nothing is started for the thread.
     */
    readonly release: (
      id: ThreadId,
      flags: ReadonlyArray<string>
    ) => Effect.Effect<
      TerminalCommand,
      Missing | E.ThreadBusy | E.StartInProgress | E.InvalidInput | E.StartFailure
    >
    /**
     * Takes it back, in whichever session the terminal went on; the receipt of that start. InvalidInput where a new one
     * was opened there, and nothing was said in it.
     */
    readonly claim: (
      id: ThreadId
    ) => Effect.Effect<Receipt, Missing | E.ThreadBusy | E.StartInProgress | E.InvalidInput | E.StartFailure>
    /**
     * Takes what is upstream now as the thread's history, after the end of it was undone there; what was undone is
     * marked. The receipt of the start that goes on from there. Where nothing is missing, as `start`.
     */
    readonly acceptHistory: (
      id: ThreadId
    ) => Effect.Effect<Receipt, Missing | E.ThreadBusy | E.StartInProgress | E.StartFailure>
    /**
     * Brings a conversation that its agent lost back from our copy, into the store that is configured now; where the agent
     * has it, as `start`. Begins nothing anew.
     */
    readonly restore: (
      id: ThreadId
    ) => Effect.Effect<Receipt, Missing | E.ThreadBusy | E.StartInProgress | E.StartFailure>
    /**
     * The whole thread as it is now, with our copy of the agent's record, in lines of JSON; of constant memory. With
     * `move` it is refused here from now on, until it is claimed.
     */
    readonly export: (
      id: ThreadId,
      options?: { readonly move?: boolean; readonly to?: string | undefined }
    ) => Effect.Effect<
      Stream.Stream<Uint8Array, E.StoreFailed>,
      Missing | E.ThreadBusy | E.StartInProgress | E.InvalidInput | E.SessionHeldElsewhere
    >
    /**
     * A thread that was exported, under its own id. It is checked whole before anything of it is kept; what is here
     * already, and is newer or went on otherwise, stays. Its next turn begins by restoring the agent's session.
     */
    readonly import: <Err, R>(
      bundle: Stream.Stream<Uint8Array, Err, R>,
      into?: { readonly cwd?: string | undefined; readonly provider?: string | undefined }
    ) => Effect.Effect<
      Thread,
      | Err
      | E.InvalidBundle
      | E.ThreadExists
      | E.ThreadBusy
      | E.StartInProgress
      | E.ProviderNotFound
      | E.CwdNotAllowed
      | E.CwdUnavailable
      | E.InvalidInput
      | E.StoreFailed,
      R
    >
    /**
     * Another agent goes on with the thread: it has what was said as its own history, and no prompt is spent on it. What
     * could not be carried stands in the receipt. Where that fails, the thread is with the agent that it had.
     */
    readonly handOver: (
      id: ThreadId,
      to: HandOver
    ) => Effect.Effect<
      Receipt,
      Missing | E.ThreadBusy | E.StartInProgress | E.InvalidInput | E.CwdNotAllowed | E.StartFailure
    >
    /**
     * A session of the agent's own becomes a thread, with all that was said in it as what was before us; the same session
     * again is the same thread. Nothing upstream is started or changed. The first turn is proved as any other.
     */
    readonly adopt: Effect.Success<typeof makeAdopt>
    /** What the agent has in its own store, the newest first, without what threads of ours left behind there. */
    readonly sessions: Effect.Success<typeof makeOwnListing>
    /** The models of an agent, as it calls them. */
    readonly models: Effect.Success<typeof makeModelListing>
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
      const sessions = yield* LiveSessions
      const ending = yield* SessionEnd
      const directories = yield* WorkingDirectory
      const turns = yield* TurnControl
      const dispatcher = yield* TurnDispatcher
      const { receiptOf, transition } = yield* makeTransition
      const fork = yield* makeFork
      const acceptHistory = yield* makeAcceptHistory
      const { claim, release } = yield* makeRelease
      const handOver = yield* makeHandOver
      const adopt = yield* makeAdopt
      const listing = yield* makeOwnListing
      const models = yield* makeModelListing
      const exportThread = yield* makeExport
      const importThread = yield* makeImport
      const { reset, stop } = yield* makeStop
      const update = yield* makeUpdate

      const start = Effect.fn("ProviderService.start")(function* (id: ThreadId) {
        return yield* transition(id, (thread) => receiptOf(thread, thread.cwd))
      })

      const move = Effect.fn("ProviderService.move")(function* (id: ThreadId, cwd: string) {
        const real = yield* directories.admit(cwd)
        return yield* transition(id, (thread) => receiptOf(thread, real))
      })

      const restore = Effect.fn("ProviderService.restore")(function* (id: ThreadId) {
        return yield* transition(id, (thread) => receiptOf(thread, thread.cwd, { restore: true }))
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
                  endedBy: "server"
                })
                .pipe(Effect.retry(Schedule.recurs(1)), Effect.ignore),
            { concurrency: "unbounded", discard: true }
          )
        )
      )

      return ProviderService.of({
        ...turns,
        start,
        stop,
        reset,
        move,
        fork,
        release,
        claim,
        acceptHistory,
        restore,
        handOver,
        adopt,
        sessions: listing,
        models,
        export: exportThread,
        import: importThread,
        update
      })
    })
  )
}
