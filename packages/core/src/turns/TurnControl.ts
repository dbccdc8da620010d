import type * as Requests from "@rejoin/contracts/api/Requests"
import * as E from "@rejoin/contracts/Errors"
import type { RequestId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { Answer, PendingRequest } from "@rejoin/contracts/Request"
import type { Rule } from "@rejoin/contracts/Rule"
import { timestampOf } from "@rejoin/contracts/Time"
import { type Attachment, isSettled } from "@rejoin/contracts/Turn"
import { Context, Effect, Layer, Option, Result, Stream } from "effect"
import { isOver, type LiveSession, LiveSessions } from "../sessions/LiveSessions.ts"
import type { SendFailure } from "../providers/ProviderAdapter.ts"
import type { AdapterFailure } from "../providers/ResumeCursor.ts"
import { ProviderCall } from "../providers/ProviderCall.ts"
import type { TurnRecord } from "../store/Records.ts"
import { Rules } from "../rules/Rules.ts"
import { SessionEnd } from "../sessions/SessionEnd.ts"
import { Settings } from "../Settings.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { Threads } from "../threads/Threads.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { split } from "./Attachments.ts"
import { makeEditQueued } from "./QueueEdit.ts"
import { TurnDispatcher } from "./TurnDispatcher.ts"
import { DeferredTurns } from "./DeferredTurns.ts"
import type { NewTurn } from "./NewTurn.ts"
import { TurnJournal } from "./TurnJournal.ts"

type Missing = E.ThreadNotFound | E.StoreFailed

/** What can be done with a thread's turns: sent, waited for, interrupted, and what they ask answered. */
export class TurnControl extends Context.Service<
  TurnControl,
  {
    /**
     * Accepts a turn: durable when this returns, run at most once, in order. A steer joins the running turn and is
     * that turn. What goes wrong afterwards stands on the turn.
     */
    readonly send: (
      id: ThreadId,
      turn: Requests.SendTurn,
      /** The device that sends it: however long it waits, it runs in no higher mode than that may use. */
      from?: TurnRecord["from"]
    ) => Effect.Effect<
      TurnRecord,
      Missing | E.IdempotencyConflict | E.InvalidInput | E.SessionHeldElsewhere | SendFailure["failure"]
    >
    readonly awaitSettled: (
      id: ThreadId,
      turnId: TurnId
    ) => Effect.Effect<TurnRecord, Missing | E.TurnNotFound>
    /** Ends the running turn, or the start that it waits for, and what would go on by itself. Nothing to end is no error. */
    readonly interrupt: (id: ThreadId) => Effect.Effect<void, Missing | E.CapabilityMissing | AdapterFailure>
    /** Ends this turn and no other: withdrawn where it was not begun, interrupted where it runs. */
    readonly interruptTurn: (
      id: ThreadId,
      turnId: TurnId
    ) => Effect.Effect<void, Missing | E.TurnNotFound | E.CapabilityMissing | AdapterFailure>
    /** Changes a turn that waits. */
    readonly editTurn: (
      id: ThreadId,
      turnId: TurnId,
      change: Requests.UpdateTurn,
      from?: TurnRecord["from"]
    ) => Effect.Effect<TurnRecord, Missing | E.TurnNotFound | E.TurnBegun | E.InvalidInput>
    /** Ends what a device that is no longer let in has sent and that has not begun. */
    readonly withdrawFrom: (device: string) => Effect.Effect<void, E.StoreFailed>
    readonly answer: (
      id: ThreadId,
      requestId: RequestId,
      answer: Answer
    ) => Effect.Effect<
      void,
      Missing | E.RequestNotFound | E.RequestAnswered | E.InvalidInput | AdapterFailure
    >
  }
>()("@rejoin/core/TurnControl") {
  static readonly layer = Layer.effect(
    TurnControl,
    Effect.gen(function* () {
      const threads = yield* Threads
      const sessions = yield* LiveSessions
      const ending = yield* SessionEnd
      const journal = yield* TurnJournal
      const dispatcher = yield* TurnDispatcher
      const deferred = yield* DeferredTurns
      const events = yield* ThreadEvents
      const store = yield* ThreadStore
      const settings = yield* Settings
      const call = yield* ProviderCall
      const rules = yield* Rules
      /** What is being answered now. */
      const answering = new Set<string>()

      const steer = Effect.fnUntraced(function* (
        live: LiveSession,
        turnId: TurnId,
        turn: NewTurn,
        attachments: ReadonlyArray<Attachment>
      ) {
        const messageId = yield* live.adapter.newMessageId
        const joined = yield* journal.steer(turnId, turn, messageId)
        if (Option.isNone(joined) || !joined.value.fresh || live.session.steer === undefined) {
          return Option.map(joined, ({ turn }) => turn)
        }
        const { input } = turn
        const through = yield* call
          .within(live.adapter, "steer", live.session.steer({ messageId, input, attachments }))
          .pipe(
            // What may have arrived stays: with the same key it is not sent again (law 6).
            Effect.tapError((error) =>
              error._tag === "SendFailure" && error.sent === "no"
                ? journal.unsteer(turnId, messageId)
                : Effect.void
            ),
            Effect.mapError((error) => (error._tag === "SendFailure" ? error.failure : error))
          )
        if (through) return Option.some(joined.value.turn)
        // The turn was over: it did not join, and waits for its own.
        yield* journal.unsteer(turnId, messageId)
        return Option.none()
      })

      const send = Effect.fn("TurnControl.send")(function* (
        id: ThreadId,
        request: Requests.SendTurn,
        from?: TurnRecord["from"]
      ) {
        yield* threads.record(id)
        const { attachments = [], notBefore } = request
        if (notBefore !== undefined && request.delivery === "steer") {
          return yield* new E.InvalidInput({
            field: "notBefore",
            message: "What joins the running turn cannot wait for a time."
          })
        }
        const turn: NewTurn = {
          threadId: id,
          input: request.input,
          attachments: yield* split(attachments),
          delivery: request.delivery ?? null,
          idempotencyKey: request.idempotencyKey ?? null,
          notBefore: notBefore === undefined ? undefined : timestampOf(notBefore),
          from
        }
        const live = sessions.get(id)
        if (request.delivery === "steer" && live?.turn && live.session.steer && !isOver(live)) {
          const joined = yield* steer(live, live.turn.id, turn, attachments)
          if (Option.isSome(joined)) return joined.value
        }
        const accepted = yield* journal.accept(turn)
        yield* dispatcher.look(id)
        if (accepted.status === "deferred") yield* deferred.changed
        return accepted
      })

      const turnOf = Effect.fnUntraced(function* (id: ThreadId, turnId: TurnId) {
        const found = yield* store.getTurn(turnId)
        if (Option.isSome(found) && found.value.threadId === id) return found.value
        return yield* new E.TurnNotFound({ turnId, message: `There is no turn ${turnId} in this thread.` })
      })

      const awaitSettled = Effect.fn("TurnControl.awaitSettled")(function* (id: ThreadId, turnId: TurnId) {
        const read = turnOf(id, turnId)
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

      const originOf = (threadId: ThreadId) =>
        Effect.map(
          store.getBinding(threadId),
          Option.match({
            onNone: () => ({ threadId, generation: 0 }),
            onSome: ({ generation }) => ({ threadId, generation })
          })
        )

      const interrupt = Effect.fn("TurnControl.interrupt")(function* (id: ThreadId, only?: TurnId) {
        yield* threads.record(id)
        if (only !== undefined) {
          const { status } = yield* turnOf(id, only)
          if (isSettled(status)) return
          if (yield* journal.withdraw(only, yield* originOf(id))) {
            // Nobody waits for its session any more.
            yield* sessions.preempt(id, only)
            return
          }
        }
        if (yield* sessions.preempt(id, only)) return
        // A turn that is being dispatched holds the lease: it is running when this is let in. And none other begins
        // while this one is being interrupted.
        const found = yield* sessions.withLease(id)(
          Effect.gen(function* () {
            const live = sessions.get(id)
            const turnId = live?.turn?.id
            if (live === undefined || live.ended || turnId === undefined) return undefined
            if (only !== undefined && turnId !== only) return undefined
            if (live.session.interrupt === undefined) {
              return yield* new E.CapabilityMissing({
                capability: "interrupt",
                message: "This provider cannot interrupt a turn.",
                hint: "Stop the session instead."
              })
            }
            yield* journal.interrupting(turnId)
            const asked = yield* Effect.result(
              call.within(live.adapter, "interrupt", live.session.interrupt, settings.interruptTimeout)
            )
            return { live, turnId, unanswered: Result.isFailure(asked) }
          })
        )
        if (found === undefined) return
        const { live, turnId, unanswered } = found
        const give = (reason: string) =>
          ending.end(live, { event: "session.exited", reason, turn: { status: "interrupted" } })
        // One that is frozen or gone is not waited for: it is ended, and all that it started.
        if (unanswered) return yield* give("the interrupt was not answered")
        yield* awaitSettled(id, turnId).pipe(
          Effect.timeoutOrElse({
            duration: settings.interruptTimeout,
            orElse: () => give("the interrupted turn did not settle")
          }),
          Effect.catchTag("TurnNotFound", () => Effect.void)
        )
      })

      const editQueued = makeEditQueued(store, events)
      const editTurn = Effect.fnUntraced(function* (
        id: ThreadId,
        turnId: TurnId,
        { attachments, before, input, notBefore }: Requests.UpdateTurn,
        from?: TurnRecord["from"]
      ) {
        yield* threads.record(id)
        const turn = yield* editQueued(id, turnId, {
          input,
          attachments: attachments && (yield* split(attachments)),
          before: before as TurnId | undefined,
          from,
          notBefore: typeof notBefore === "string" ? timestampOf(notBefore) : notBefore
        })
        if (notBefore !== undefined) {
          yield* dispatcher.look(id)
          yield* deferred.changed
        }
        return turn
      })

      const answer = Effect.fn("TurnControl.answer")(function* (
        id: ThreadId,
        requestId: RequestId,
        answer: Answer
      ) {
        yield* threads.record(id)
        const request = (yield* store.listRequests(id)).find((request) => request.id === requestId)
        const live = sessions.get(id)
        if (request === undefined || live === undefined || isOver(live)) {
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
        const remembered = yield* remembering(request, answer)
        // Of two who answer at once the second is told: what it says comes to nothing.
        const key = `${id}/${requestId}`
        if (answering.has(key)) {
          return yield* new E.RequestAnswered({
            requestId,
            message: "Somebody else has just answered this.",
            hint: "Look at what came of it."
          })
        }
        answering.add(key)
        yield* call
          .within(live.adapter, "answer", live.session.answer(requestId, answer))
          .pipe(Effect.onError(() => Effect.sync(() => answering.delete(key))))
        yield* Effect.ensuring(
          settleRequest(live, request, answer, remembered),
          Effect.sync(() => answering.delete(key))
        )
      })

      /** The rules that an answer asks for, which are kept once it got through. */
      const remembering = Effect.fnUntraced(function* ({ ask, threadId }: PendingRequest, answer: Answer) {
        if (!("decision" in answer) || answer.remember === undefined) return []
        const { decision, remember } = answer
        if (decision === "cancel" || ask.kind !== "approval") {
          return yield* new E.InvalidInput({
            field: "remember",
            message: "Only what an approval is answered with, accept or decline, can be remembered."
          })
        }
        return yield* rules.remembering(threadId, { approval: ask, decision, scope: remember })
      })

      const settleRequest = (
        live: LiveSession,
        request: PendingRequest,
        answer: Answer,
        remembered: ReadonlyArray<Rule>
      ) =>
        events.transact(live, (emit) =>
          Effect.gen(function* () {
            const { id, threadId, turnId } = request
            // The answer got through, whoever told of it first.
            yield* Effect.forEach(remembered, store.rules.save, { discard: true })
            const still = (yield* store.listRequests(threadId)).some((open) => open.id === id)
            if (!still) return
            yield* store.deleteRequest(threadId, id)
            const kind = request.ask.kind === "approval" ? "request" : "user-input"
            emit({ type: `${kind}.resolved`, turnId, data: { id, answer } })
          })
        )

      return TurnControl.of({
        send,
        awaitSettled,
        // Nothing of it goes on by itself either.
        interrupt: (id) =>
          Effect.catchTag(interrupt(id), "TurnNotFound", Effect.die).pipe(
            Effect.andThen(originOf(id)),
            Effect.andThen(journal.withdrawGoingOn)
          ),
        interruptTurn: interrupt,
        editTurn,
        withdrawFrom: journal.withdrawFrom,
        answer
      })
    })
  )
}

const settling = new Set(["turn.completed", "turn.failed", "turn.interrupted"])
