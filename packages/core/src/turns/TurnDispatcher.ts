import * as E from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { Cause, Context, Deferred, Effect, FiberSet, Layer, Option, Queue, Result } from "effect"
import { type LiveSession, LiveSessions } from "../sessions/LiveSessions.ts"
import { ProviderCall } from "../providers/ProviderCall.ts"
import { SendFailure } from "../providers/ProviderAdapter.ts"
import type { ThreadRecord, TurnRecord } from "../store/Records.ts"
import { SessionDirectory } from "../sessions/SessionDirectory.ts"
import { Settings } from "../Settings.ts"
import { SessionEnd } from "../sessions/SessionEnd.ts"
import { SessionStart } from "../sessions/SessionStart.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { environmentOf } from "../trust/Loading.ts"
import { TurnJournal } from "./TurnJournal.ts"

/** Runs the turns of every thread, one after the other, as they are accepted (T2). */
export class TurnDispatcher extends Context.Service<
  TurnDispatcher,
  {
    /** Looks for a turn to run on this thread; returns at once. */
    readonly look: (threadId: ThreadId) => Effect.Effect<void>
  }
>()("@rejoin/core/TurnDispatcher") {
  static readonly layer = Layer.effect(
    TurnDispatcher,
    Effect.gen(function* () {
      const sessions = yield* LiveSessions
      const journal = yield* TurnJournal
      const starts = yield* SessionStart
      const ending = yield* SessionEnd
      const directory = yield* SessionDirectory
      const store = yield* ThreadStore
      const call = yield* ProviderCall
      const settings = yield* Settings

      const again = (threadId: ThreadId) => Queue.offer(sessions.attention, threadId)

      /** The turn could not be sent. What may have arrived is never sent again, whatever is found later (law 6). */
      const notSent = Effect.fnUntraced(function* (
        thread: ThreadRecord,
        turn: TurnRecord,
        live: LiveSession,
        { failure, sent }: Pick<SendFailure, "failure" | "sent">,
        mayRetry: boolean
      ) {
        const { adapter, session } = live
        yield* ending.end(live, { event: "session.exited", reason: failure.message })
        if (sent === "no" && mayRetry) {
          yield* journal.reopen(turn)
          return true
        }
        const arrival =
          sent === "no" || turn.messageId === null
            ? "absent"
            : yield* call
                .within(
                  adapter,
                  "delivered",
                  adapter.delivered(session.cursor, turn.messageId, environmentOf(thread))
                )
                .pipe(Effect.orElseSucceed(() => "unknown" as const))
        const status = arrival === "absent" ? "failed" : "interrupted"
        yield* journal.settle(turn.id, live, { status, error: E.toFailure(failure) })
        return false
      })

      const send = Effect.fnUntraced(function* (turn: TurnRecord, live: LiveSession) {
        const { adapter, session } = live
        const messageId = yield* adapter.newMessageId
        const begun = yield* journal.dispatching(turn, live, messageId)
        if (Option.isNone(begun)) return undefined
        const dispatched = begun.value
        live.gate.closeUnsafe()
        const { attachments, input } = turn
        const sent = yield* call
          .within(adapter, "send", session.send({ messageId, input, attachments }), settings.sendTimeout)
          .pipe(
            Effect.catchTag("ProviderTimeout", (failure) =>
              Effect.fail(new SendFailure({ failure, sent: "maybe" }))
            ),
            Effect.result
          )
        if (Result.isSuccess(sent)) {
          yield* journal.running(
            dispatched,
            live,
            messageId,
            sent.success,
            adapter.encodeCursor(sent.success.cursor)
          )
          live.turn = { id: turn.id, items: new Map() }
          live.touched = true
          live.lastTurnId = turn.id
        }
        return { dispatched, sent }
      })

      const run = Effect.fnUntraced(function* (
        turn: TurnRecord,
        mayRetry: boolean
      ): Effect.fn.Return<void, E.StoreFailed> {
        const found = yield* store.getThread(turn.threadId)
        if (Option.isNone(found)) return
        const thread = found.value
        const wanted = { cwd: thread.cwd, mode: thread.runtimeMode, model: thread.model }
        const started = yield* sessions
          .preemptible(
            thread.id,
            turn.id
          )(starts.ensure(thread, wanted, { turnId: turn.id }))
          .pipe(Effect.result)
        const binding = yield* directory.get(thread.id).pipe(Effect.option)
        const origin = {
          threadId: thread.id,
          generation: Option.isSome(binding) ? binding.value.generation : 0
        }
        if (Result.isFailure(started)) {
          yield* journal.settle(turn.id, origin, { status: "failed", error: E.toFailure(started.failure) })
          return yield* Effect.asVoid(again(thread.id))
        }
        if (started.success === "preempted") {
          yield* journal.settle(turn.id, origin, { status: "interrupted" })
          return yield* Effect.asVoid(again(thread.id))
        }
        const { live } = started.success
        const outcome = yield* send(turn, live).pipe(Effect.ensuring(live.gate.open))
        // It was withdrawn while its session started.
        if (outcome === undefined) return yield* Effect.asVoid(again(thread.id))
        const { dispatched, sent } = outcome
        // It may have ended while we sent: then nobody listens, and the turn is settled as one that lost its session.
        if (Result.isSuccess(sent)) return yield* live.ended ? Effect.asVoid(again(thread.id)) : Effect.void
        const reopened = yield* notSent(thread, dispatched, live, sent.failure, mayRetry)
        if (reopened) return yield* run({ ...turn, status: "accepted" }, false)
        yield* again(thread.id)
      })

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
            const live = sessions.get(threadId)
            if (live?.turn !== undefined && !live.ended) return
            // While it closes, its end settles the turn.
            if (live?.ended === true) yield* Deferred.await(live.closed)
            yield* settleForsaken(threadId)
            const turn = yield* journal.next(threadId)
            if (Option.isSome(turn)) yield* run(turn.value, true)
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

      return TurnDispatcher.of({ look })
    })
  )
}
