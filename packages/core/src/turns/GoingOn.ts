import type { StoreFailed } from "@rejoin/contracts/Errors"
import type { Failure } from "@rejoin/contracts/Failure"
import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { Clock, Context, Duration, Effect, Layer, Option } from "effect"
import { ProviderCall } from "../providers/ProviderCall.ts"
import type { ProviderAdapterShape } from "../providers/ProviderAdapter.ts"
import type { ResumeCursor } from "../providers/ResumeCursor.ts"
import { Settings } from "../Settings.ts"
import type { TurnRecord } from "../store/Records.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { environmentOf } from "../trust/Loading.ts"
import { afterInterruption, afterLimit, isLimit } from "./GoingOnPlan.ts"
import type { GoesOn } from "./NewTurn.ts"
import { UsageFacts } from "./UsageFacts.ts"

/** As far back as it is looked for what was done: an answer is longer only where much was. */
const items = 50

/** Finds out what `GoingOnPlan` decides by, for a turn that is about to be settled. */
export class GoingOn extends Context.Service<
  GoingOn,
  {
    /** A turn has failed; nothing is asked where it met no limit. */
    readonly afterFailure: (
      turnId: TurnId,
      failure: Failure | undefined,
      session: { readonly adapter: ProviderAdapterShape; readonly cursor: ResumeCursor }
    ) => Effect.Effect<GoesOn | undefined, StoreFailed>
    /** The server or the agent stopped under a turn whose message is in the agent's conversation. */
    readonly afterEnd: (
      turnId: TurnId,
      by: "server" | "agent"
    ) => Effect.Effect<GoesOn | undefined, StoreFailed>
  }
>()("@rejoin/core/GoingOn") {
  static readonly layer = Layer.effect(
    GoingOn,
    Effect.gen(function* () {
      const store = yield* ThreadStore
      const settings = yield* Settings
      const call = yield* ProviderCall
      const usage = yield* UsageFacts

      const someDone = Effect.fnUntraced(function* ({ id, threadId }: TurnRecord) {
        const last = yield* store.listItems(threadId, { limit: items })
        return last.some(
          ({ kind, status, turnId }) => turnId === id && kind !== "user-message" && status === "completed"
        )
      })

      /** Of the session in which the turn ran, as its receipt has it now. */
      const isVerified = Effect.fnUntraced(function* ({ generation, threadId }: TurnRecord) {
        const thread = Option.getOrUndefined(yield* store.getThread(threadId))
        const [receipt] = yield* store.listReceipts(threadId, { limit: 1 })
        return (
          receipt?.generation === generation &&
          receipt.verification !== "failed" &&
          receipt.cwdVerified === thread?.cwd &&
          receipt.runtimeModeVerified === thread?.runtimeMode
        )
      })

      const known = (turnId: TurnId) => Effect.map(store.getTurn(turnId), Option.getOrUndefined)
      const threadOf = (id: ThreadId) => Effect.map(store.getThread(id), Option.getOrUndefined)

      const afterFailure = Effect.fn("GoingOn.afterFailure")(function* (
        turnId: TurnId,
        failure: Failure | undefined,
        { adapter, cursor }: { readonly adapter: ProviderAdapterShape; readonly cursor: ResumeCursor }
      ) {
        if (!isLimit(failure)) return undefined
        yield* usage.limited(adapter.id, failure)
        const turn = yield* known(turnId)
        const thread = turn && (yield* threadOf(turn.threadId))
        const policy = thread?.onLimit ?? settings.onLimit
        if (turn === undefined || thread === undefined || policy !== "wait") return undefined
        const arrival =
          turn.messageId === null
            ? "absent"
            : yield* call
                .within(
                  adapter,
                  "delivered",
                  adapter.delivered(cursor, turn.messageId, environmentOf(thread))
                )
                .pipe(Effect.orElseSucceed(() => "unknown" as const))
        const { messageId } = turn
        const keeps =
          adapter.keeps === undefined || (messageId !== null && (yield* adapter.keeps(cursor, messageId)))
        const kept = arrival === "unknown" ? undefined : arrival === "arrived" && keeps
        const at = yield* Clock.currentTimeMillis
        return afterLimit(turn, {
          failure,
          policy,
          done: yield* someDone(turn),
          kept,
          at,
          atMost: Duration.toMillis(settings.limitWait)
        })
      })

      const afterEnd = Effect.fn("GoingOn.afterEnd")(function* (turnId: TurnId, by: "server" | "agent") {
        const policy = settings.onInterrupted
        const turn = policy === "continue" ? yield* known(turnId) : undefined
        if (turn === undefined) return undefined
        const [done, sure] = [yield* someDone(turn), yield* isVerified(turn)]
        return afterInterruption(turn, { policy, by, done, sure })
      })

      return GoingOn.of({ afterFailure, afterEnd })
    })
  )
}
