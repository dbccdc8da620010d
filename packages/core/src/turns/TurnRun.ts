import * as E from "@rejoin/contracts/Errors"
import { isAbove } from "@rejoin/contracts/RuntimeMode"
import { Context, Effect, Layer, Option, Result } from "effect"
import { SendFailure } from "../providers/ProviderAdapter.ts"
import { ProviderCall } from "../providers/ProviderCall.ts"
import { isOver, type LiveSession, LiveSessions } from "../sessions/LiveSessions.ts"
import { SessionDirectory } from "../sessions/SessionDirectory.ts"
import { SessionEnd } from "../sessions/SessionEnd.ts"
import { SessionStart } from "../sessions/SessionStart.ts"
import { Settings } from "../Settings.ts"
import type { ThreadRecord, TurnRecord } from "../store/Records.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { whileAway } from "../store/WhileAway.ts"
import { environmentOf } from "../trust/Loading.ts"
import { whole } from "./Attachments.ts"
import { TurnJournal } from "./TurnJournal.ts"

/**
 * One turn from `accepted` until it runs, or has settled because it could not: its session is brought to life, and its
 * message sent, once. Runs under the thread's lease.
 */
export class TurnRun extends Context.Service<
  TurnRun,
  {
    /** `again` where the thread has more to do at once. A turn that may not begin any more stays accepted. */
    readonly run: (
      turn: TurnRecord,
      mayBegin: () => boolean
    ) => Effect.Effect<"again" | "under way", E.StoreFailed>
  }
>()("@rejoin/core/TurnRun") {
  static readonly layer = Layer.effect(
    TurnRun,
    Effect.gen(function* () {
      const sessions = yield* LiveSessions
      const journal = yield* TurnJournal
      const starts = yield* SessionStart
      const ending = yield* SessionEnd
      const directory = yield* SessionDirectory
      const store = yield* ThreadStore
      const call = yield* ProviderCall
      const settings = yield* Settings

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
          yield* whileAway(journal.reopen(turn))
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

      /** What was found out about the session since it was started: then nothing is sent on it (laws 3 and 4). */
      const unfit = ({ adapter, ended, quarantine }: LiveSession) => {
        if (quarantine !== undefined) return new SendFailure({ failure: quarantine, sent: "no" })
        if (!ended) return undefined
        const message = "The session ended before the message was sent."
        return new SendFailure({
          failure: new E.ProviderFailed({ provider: adapter.id, message }),
          sent: "no"
        })
      }

      const send = Effect.fnUntraced(function* (turn: TurnRecord, live: LiveSession) {
        const { adapter, session } = live
        const messageId = yield* adapter.newMessageId
        const attachments = yield* whole(store, turn.attachments)
        const begun = yield* journal.dispatching(turn, live, messageId)
        if (Option.isNone(begun)) return undefined
        const dispatched = begun.value
        const failure = unfit(live)
        if (failure !== undefined) return { dispatched, sent: Result.fail(failure) }
        live.gate.closeUnsafe()
        const { input } = turn
        const sent = yield* call
          .within(adapter, "send", session.send({ messageId, input, attachments }), settings.sendTimeout)
          .pipe(
            Effect.catchTag("ProviderTimeout", (failure) =>
              Effect.fail(new SendFailure({ failure, sent: "maybe" }))
            ),
            Effect.result
          )
        if (Result.isSuccess(sent)) {
          // The agent has it, whatever the database does.
          yield* whileAway(
            journal.running(
              dispatched,
              live,
              messageId,
              sent.success,
              adapter.encodeCursor(sent.success.cursor)
            )
          )
          live.turn = { id: turn.id, items: new Map() }
          live.touched = true
          live.lastTurnId = turn.id
        }
        return { dispatched, sent }
      })

      const originOf = ({ id }: ThreadRecord) =>
        Effect.map(Effect.option(directory.get(id)), (binding) => ({
          threadId: id,
          generation: Option.isSome(binding) ? binding.value.generation : 0
        }))

      const run = Effect.fnUntraced(function* (
        turn: TurnRecord,
        mayBegin: () => boolean,
        mayRetry: boolean
      ): Effect.fn.Return<"again" | "under way", E.StoreFailed> {
        const found = yield* store.getThread(turn.threadId)
        if (Option.isNone(found)) return "under way"
        const thread = found.value
        const { from } = turn
        if (from !== undefined && isAbove(thread.runtimeMode, from.mode)) {
          const error = E.toFailure(
            new E.DeviceNotAllowed({
              device: from.device,
              message: `It was sent by a device that may use ${from.mode} at most, and the thread is in ${thread.runtimeMode} now.`,
              hint: "Send it yourself, or give the thread a lower mode."
            })
          )
          yield* journal.settle(turn.id, yield* originOf(thread), { status: "failed", error })
          return "again"
        }
        const wanted = { cwd: thread.cwd, mode: thread.runtimeMode, model: thread.model }
        const started = yield* sessions
          .preemptible(
            thread.id,
            turn.id
          )(starts.ensure(thread, wanted, { turnId: turn.id }))
          .pipe(Effect.result)
        if (Result.isFailure(started)) {
          const { failure } = started
          // Nothing was sent, and nothing is wrong with it: it waits until the database is there.
          if (failure._tag === "StoreFailed" && failure.away === true) return yield* failure
          const error = E.toFailure(failure)
          yield* journal.settle(turn.id, yield* originOf(thread), { status: "failed", error })
          if (failure._tag !== "MachineAway") return "again"
          // That machine may come back. What else waits is looked at as long as it does not.
          yield* store.ownership.giveBack(thread.id)
          return "under way"
        }
        if (started.success === "preempted") {
          yield* journal.settle(turn.id, yield* originOf(thread), { status: "interrupted" })
          return "again"
        }
        // We are stopping: it waits for the next life.
        if (!mayBegin()) return "under way"
        const { live } = started.success
        const outcome = yield* send(turn, live).pipe(Effect.ensuring(live.gate.open))
        // It was withdrawn or changed while its session started, or another one goes first.
        if (outcome === undefined) return "again"
        const { dispatched, sent } = outcome
        // It may have ended while we sent: then nobody listens, and the turn is settled as one that lost its session.
        if (Result.isSuccess(sent)) return isOver(live) ? "again" : "under way"
        const reopened = yield* notSent(thread, dispatched, live, sent.failure, mayRetry)
        return reopened ? yield* run({ ...turn, status: "accepted" }, mayBegin, false) : "again"
      })

      return TurnRun.of({ run: (turn, mayBegin) => run(turn, mayBegin, true) })
    })
  )
}
