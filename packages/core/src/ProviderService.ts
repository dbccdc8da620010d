import type * as Api from "@rejoin/contracts/Api"
import * as E from "@rejoin/contracts/Errors"
import type { RequestId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { Receipt } from "@rejoin/contracts/Receipt"
import type { Answer } from "@rejoin/contracts/Request"
import { now } from "@rejoin/contracts/Time"
import { isSettled } from "@rejoin/contracts/Turn"
import { Context, Effect, Layer, Option, Schedule, Stream } from "effect"
import { type LiveSession, LiveSessions } from "./LiveSessions.ts"
import type { AdapterFailure } from "./ProviderAdapter.ts"
import { ProviderCall } from "./ProviderCall.ts"
import { ProviderRegistry } from "./ProviderRegistry.ts"
import type { ThreadRecord, TurnRecord } from "./Records.ts"
import { SessionDirectory } from "./SessionDirectory.ts"
import { SessionEnd } from "./SessionEnd.ts"
import { SessionStart } from "./SessionStart.ts"
import { Settings } from "./Settings.ts"
import { ThreadEvents } from "./ThreadEvents.ts"
import { threadBusy, Threads } from "./Threads.ts"
import { ThreadStore } from "./ThreadStore.ts"
import { TurnDispatcher } from "./TurnDispatcher.ts"
import { type NewTurn, TurnJournal } from "./TurnJournal.ts"
import { WorkingDirectory } from "./WorkingDirectory.ts"

type Missing = E.ThreadNotFound | E.StoreFailed

/** What can be done with a thread's session, whatever the provider behind it. */
export class ProviderService extends Context.Service<
  ProviderService,
  {
    /** Brings the session to life without a turn; the receipt of that start, or of the one that serves. */
    readonly start: (
      id: ThreadId
    ) => Effect.Effect<Receipt, Missing | E.ThreadBusy | E.StartInProgress | E.StartFailure>
    /**
     * Accepts a turn: durable when this returns, run at most once, in order. A steer joins the running turn and is
     * that turn. What goes wrong afterwards stands on the turn.
     */
    readonly send: (
      id: ThreadId,
      turn: Api.SendTurn
    ) => Effect.Effect<TurnRecord, Missing | E.IdempotencyConflict | AdapterFailure>
    readonly awaitSettled: (
      id: ThreadId,
      turnId: TurnId
    ) => Effect.Effect<TurnRecord, Missing | E.TurnNotFound>
    /** Ends the running turn, or the start that it waits for. Nothing to end is no error. */
    readonly interrupt: (id: ThreadId) => Effect.Effect<void, Missing | E.CapabilityMissing | AdapterFailure>
    readonly answer: (
      id: ThreadId,
      requestId: RequestId,
      answer: Answer
    ) => Effect.Effect<void, Missing | E.RequestNotFound | E.InvalidInput | AdapterFailure>
    /** Ends the session and the turns that wait for it; the binding stays. */
    readonly stop: (id: ThreadId) => Effect.Effect<void, Missing | E.SessionNotRunning>
    /** The next turn starts anew; the old session stays in the lineage. */
    readonly reset: (id: ThreadId) => Effect.Effect<void, Missing | E.ThreadBusy>
    /** Carries the conversation into another directory, now. Where that fails, nothing has changed. */
    readonly move: (
      id: ThreadId,
      cwd: string
    ) => Effect.Effect<Receipt, Missing | E.ThreadBusy | E.StartInProgress | E.CwdNotAllowed | E.StartFailure>
    /** Title at any time; mode and model between turns. A live session that cannot follow is closed. */
    readonly update: (
      id: ThreadId,
      change: Api.UpdateThread
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
      const dispatcher = yield* TurnDispatcher
      const events = yield* ThreadEvents
      const store = yield* ThreadStore
      const settings = yield* Settings
      const call = yield* ProviderCall

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

      const receiptOf = Effect.fnUntraced(function* (thread: ThreadRecord, cwd: string) {
        const wanted = { cwd, mode: thread.runtimeMode, model: thread.model }
        const ready = yield* sessions.preemptible(thread.id)(starts.ensure(thread, wanted))
        if (ready === "preempted") {
          return yield* new E.ThreadBusy({
            threadId: thread.id,
            message: "The start was given up: it was interrupted."
          })
        }
        const { live, receipt } = ready
        if (receipt !== undefined) return receipt
        return Option.getOrThrow(yield* store.getReceipt(live.receiptId))
      })

      const start = Effect.fn("ProviderService.start")(function* (id: ThreadId) {
        return yield* transition(id, (thread) => receiptOf(thread, thread.cwd))
      })

      const move = Effect.fn("ProviderService.move")(function* (id: ThreadId, cwd: string) {
        const real = yield* directories.admit(cwd)
        return yield* transition(id, (thread) => receiptOf(thread, real))
      })

      const steer = Effect.fnUntraced(function* (live: LiveSession, turnId: TurnId, turn: NewTurn) {
        const messageId = yield* live.adapter.newMessageId
        const joined = yield* journal.steer(turnId, turn, messageId)
        if (Option.isNone(joined) || !joined.value.fresh || live.session.steer === undefined) {
          return Option.map(joined, ({ turn }) => turn)
        }
        const { attachments, input } = turn
        const through = yield* call
          .within(live.adapter, "steer", live.session.steer({ messageId, input, attachments }))
          .pipe(Effect.tapError(() => journal.unsteer(turnId, messageId)))
        if (through) return Option.some(joined.value.turn)
        // The turn was over: it did not join, and waits for its own.
        yield* journal.unsteer(turnId, messageId)
        return Option.none()
      })

      const send = Effect.fn("ProviderService.send")(function* (id: ThreadId, request: Api.SendTurn) {
        yield* threads.record(id)
        const turn: NewTurn = {
          threadId: id,
          input: request.input,
          attachments: request.attachments ?? [],
          delivery: request.delivery ?? null,
          idempotencyKey: request.idempotencyKey ?? null
        }
        const live = sessions.get(id)
        if (request.delivery === "steer" && live?.turn && live.session.steer && !live.ended) {
          const joined = yield* steer(live, live.turn.id, turn)
          if (Option.isSome(joined)) return joined.value
        }
        const accepted = yield* journal.accept(turn)
        yield* dispatcher.look(id)
        return accepted
      })

      const awaitSettled = Effect.fn("ProviderService.awaitSettled")(function* (
        id: ThreadId,
        turnId: TurnId
      ) {
        const read = Effect.gen(function* () {
          const found = yield* store.getTurn(turnId)
          if (Option.isSome(found) && found.value.threadId === id) return found.value
          return yield* new E.TurnNotFound({ turnId, message: `There is no turn ${turnId} in this thread.` })
        })
        const { lastSeq } = yield* threads.record(id)
        const turn = yield* read
        if (isSettled(turn.status)) return turn
        yield* events.follow(id, lastSeq).pipe(
          Stream.filter((event) => event.turnId === turnId && settling.has(event.type)),
          Stream.take(1),
          Stream.runDrain
        )
        return yield* read
      })

      const interrupt = Effect.fn("ProviderService.interrupt")(function* (id: ThreadId) {
        yield* threads.record(id)
        if (yield* sessions.preempt(id)) return
        // A turn that is being dispatched holds the lease: it is running when this is let in. And none other begins
        // while this one is being interrupted.
        const found = yield* sessions.withLease(id)(
          Effect.gen(function* () {
            const live = sessions.get(id)
            const turnId = live?.turn?.id
            if (live === undefined || live.ended || turnId === undefined) return undefined
            if (live.session.interrupt === undefined) {
              return yield* new E.CapabilityMissing({
                capability: "interrupt",
                message: "This provider cannot interrupt a turn.",
                hint: "Stop the session instead."
              })
            }
            yield* call.within(live.adapter, "interrupt", live.session.interrupt)
            return { live, turnId }
          })
        )
        if (found === undefined) return
        const { live, turnId } = found
        yield* awaitSettled(id, turnId).pipe(
          Effect.timeoutOrElse({
            duration: settings.interruptTimeout,
            orElse: () =>
              ending.end(live, {
                event: "session.exited",
                reason: "the interrupted turn did not settle",
                turn: { status: "interrupted" }
              })
          }),
          Effect.catchTag("TurnNotFound", () => Effect.void)
        )
      })

      const answer = Effect.fn("ProviderService.answer")(function* (
        id: ThreadId,
        requestId: RequestId,
        answer: Answer
      ) {
        yield* threads.record(id)
        const request = (yield* store.listRequests(id)).find((request) => request.id === requestId)
        const live = sessions.get(id)
        if (request === undefined || live === undefined || live.ended) {
          return yield* new E.RequestNotFound({
            requestId,
            message: `There is no pending request ${requestId}.`,
            hint: "It was answered, or the turn that asked has ended."
          })
        }
        if (
          "answers" in answer !== (request.ask.kind === "user-input") &&
          !("decision" in answer && answer.decision === "cancel")
        ) {
          return yield* new E.InvalidInput({
            field: "answers" in answer ? "answers" : "decision",
            message:
              request.ask.kind === "approval" ? "An approval takes a decision." : "A question takes answers."
          })
        }
        yield* call.within(live.adapter, "answer", live.session.answer(requestId, answer))
        yield* events.transact(live, (emit) =>
          Effect.gen(function* () {
            const still = (yield* store.listRequests(id)).some((request) => request.id === requestId)
            if (!still) return
            yield* store.deleteRequest(id, requestId)
            const kind = request.ask.kind === "approval" ? "request" : "user-input"
            emit({ type: `${kind}.resolved`, turnId: request.turnId, data: { id: requestId, answer } })
          })
        )
      })

      const stop = Effect.fn("ProviderService.stop")(function* (id: ThreadId) {
        yield* threads.record(id)
        const preempted = yield* sessions.preempt(id)
        yield* sessions.withLease(id)(
          Effect.gen(function* () {
            const live = sessions.get(id)
            const { generation } = yield* directory.get(id)
            const waiting = (yield* store.openTurns(id)).filter(({ status }) => status === "accepted")
            for (const turn of waiting) {
              yield* journal.settle(turn.id, { threadId: id, generation }, { status: "interrupted" })
            }
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
              Effect.map(store.saveBinding({ ...binding, resetRequested: true, updatedAt: at }), () =>
                emit({ type: "thread.updated", data: { reset: true } })
              )
            )
          }).pipe(Effect.catchTags({ StaleGeneration: Effect.die, SessionHeldElsewhere: Effect.die }))
        )
      })

      const update = Effect.fn("ProviderService.update")(function* (id: ThreadId, change: Api.UpdateThread) {
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
        const powers = change.runtimeMode !== undefined || change.model !== undefined
        yield* sessions.withLease(id)(
          Effect.gen(function* () {
            if (powers) yield* idle(id)
            const at = yield* now
            const { generation } = yield* directory.get(id)
            // Read within the transaction: a running turn writes its thread too.
            const next = yield* events.transact({ threadId: id, generation }, (emit) =>
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
            const live = sessions.get(id)
            if (!powers || live === undefined || live.ended) return
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

      // A session that is alive when the service closes ends as any other: its turn comes back as interrupted.
      yield* Effect.addFinalizer(() =>
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

      return ProviderService.of({ start, send, awaitSettled, interrupt, answer, stop, reset, move, update })
    })
  )
}

const settling = new Set(["turn.completed", "turn.failed", "turn.interrupted"])
