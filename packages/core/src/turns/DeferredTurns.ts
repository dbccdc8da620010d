import type { StoreFailed } from "@rejoin/contracts/Errors"
import type { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { now, timestampOf } from "@rejoin/contracts/Time"
import { Clock, Context, Duration, Effect, Layer, Option, Queue } from "effect"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import { Settings } from "../Settings.ts"
import type { TurnRecord } from "../store/Records.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { TurnJournal } from "./TurnJournal.ts"
import { UsageFacts } from "./UsageFacts.ts"

/** The clock may be set, and the machine may sleep: it is looked at this often at least. */
const longest = Duration.seconds(30)

/** Between two turns of one account that waited for the same limit. */
export const apart = Duration.seconds(10)

/**
 * Lets turns begin whose time has come, by the wall clock: each once, whatever lives, sleeps and steps of the clock lie
 * between. Turns that waited for a limit of one account begin one after the other, and wait longer where it is known to be
 * used up again.
 */
export class DeferredTurns extends Context.Service<
  DeferredTurns,
  {
    /** Lets those begin whose time has come, and returns in how many ms the next one is to be looked for. */
    readonly wake: Effect.Effect<number, StoreFailed>
    /** A turn waits for its time now, or for another time. */
    readonly changed: Effect.Effect<void>
    /** Done with the next change. */
    readonly awaitChange: Effect.Effect<void>
  }
>()("@rejoin/core/DeferredTurns") {
  static readonly layerManual = Layer.effect(
    DeferredTurns,
    Effect.gen(function* () {
      const store = yield* ThreadStore
      const journal = yield* TurnJournal
      const sessions = yield* LiveSessions
      const usage = yield* UsageFacts
      const settings = yield* Settings
      const changes = yield* Queue.sliding<void>(1)
      /** When the last turn of an account began, in ms. */
      const begun = new Map<ProviderInstanceId, number>()

      const instanceOf = Effect.fnUntraced(function* ({ continues, threadId }: TurnRecord) {
        if (continues?.because !== "limit") return undefined
        return Option.getOrUndefined(yield* store.getThread(threadId))?.provider
      })

      /** In how many ms it is to be looked for again; 0 where it has begun, or does not wait any more. */
      const begin = Effect.fnUntraced(function* (turn: TurnRecord, at: number) {
        // While its user has the conversation in a terminal it waits for that too.
        const binding = yield* store.getBinding(turn.threadId)
        if (Option.isSome(binding) && binding.value.terminal !== null) return Duration.toMillis(longest)
        const instance = yield* instanceOf(turn)
        if (instance !== undefined) {
          const until = usage.limitedUntil(instance, turn.continues?.scope ?? "")
          const latest = Date.parse(turn.acceptedAt) + Duration.toMillis(settings.limitWait)
          if (until !== undefined && until > at && until <= latest) {
            yield* journal.postpone(turn.id, timestampOf(until))
            return until - at
          }
          const since = at - (begun.get(instance) ?? Number.NEGATIVE_INFINITY)
          // A clock that was set back holds nobody up.
          if (since >= 0 && since < Duration.toMillis(apart)) return Duration.toMillis(apart) - since
          begun.set(instance, at)
        }
        if (yield* journal.due(turn.id)) yield* Queue.offer(sessions.attention, turn.threadId)
        return 0
      })

      const wake = Effect.gen(function* () {
        const until = yield* now
        const at = yield* Clock.currentTimeMillis
        const waits: Array<number> = [Duration.toMillis(longest)]
        for (const turn of yield* store.deferredTurns({ until })) {
          const wait = yield* begin(turn, at)
          if (wait > 0) waits.push(wait)
        }
        const next = Option.filter(yield* store.nextDue, (due) => due > until)
        if (Option.isSome(next)) waits.push(Date.parse(next.value) - at)
        return Math.max(1, Math.min(...waits))
      }).pipe(Effect.withSpan("DeferredTurns.wake"))

      return DeferredTurns.of({
        wake,
        changed: Effect.asVoid(Queue.offer(changes, undefined)),
        awaitChange: Queue.take(changes)
      })
    })
  )

  static readonly layer = Layer.effectDiscard(
    Effect.gen(function* () {
      const deferred = yield* DeferredTurns
      const look = deferred.wake.pipe(
        Effect.catchCause((cause) =>
          Effect.as(
            Effect.logError("Turns that wait for their time could not be looked for.", cause),
            Duration.toMillis(longest)
          )
        )
      )
      yield* look.pipe(
        Effect.flatMap((wait) =>
          Effect.timeoutOrElse(deferred.awaitChange, { duration: wait, orElse: () => Effect.void })
        ),
        Effect.forever,
        Effect.forkScoped
      )
    })
  ).pipe(Layer.provideMerge(DeferredTurns.layerManual))
}
