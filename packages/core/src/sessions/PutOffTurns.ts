import { toFailure, UsageLimited } from "@rejoin/contracts/Errors"
import { type Timestamp, timeTold } from "@rejoin/contracts/Time"
import { Clock, Duration, Effect } from "effect"
import type { AdapterEvent } from "../providers/AdapterEvent.ts"
import { ProviderCall } from "../providers/ProviderCall.ts"
import { Settings } from "../Settings.ts"
import { isOver, type LiveSession, type RunningTurn } from "./LiveSessions.ts"
import { SessionEnd } from "./SessionEnd.ts"

type Retrying = Extract<AdapterEvent, { readonly _tag: "Retrying" }>

/** When the model is to be asked again, in ms since the epoch; undefined where that is not told. */
const nextTry = ({ after, until }: Retrying, at: number): number | undefined =>
  until ?? (after === undefined ? undefined : at + after)

/**
 * A model that is not to be asked again for long is a usage limit, and no turn that runs on in silence: the turn is asked to
 * end, and settles by that (`RunningTurn.limit`). Returns until when it waits, where that is told.
 */
export const makePutOff = Effect.gen(function* () {
  const call = yield* ProviderCall
  const ending = yield* SessionEnd
  const settings = yield* Settings
  const scope = yield* Effect.scope

  const putOff = Effect.fnUntraced(function* (
    live: LiveSession,
    turn: RunningTurn,
    message: string,
    resetsAt: Timestamp | null
  ) {
    turn.limit = toFailure(
      new UsageLimited({
        provider: live.adapter.id,
        scope: "retry",
        resetsAt,
        message: `The model is not to be asked for long: ${message}`,
        hint: "Send it again then."
      })
    )
    const reason = "its model is not to be asked for long"
    const interrupt = live.session.interrupt ?? Effect.fail(undefined)
    // One that does not end its turn is ended with it. Not by the fiber that hears what it tells.
    yield* call
      .within(live.adapter, "interrupt", interrupt, settings.interruptTimeout)
      .pipe(
        Effect.andThen(Effect.sleep(settings.interruptTimeout)),
        Effect.ignore,
        Effect.andThen(
          Effect.suspend(() =>
            live.turn === turn ? ending.end(live, { event: "session.exited", reason }) : Effect.void
          )
        ),
        Effect.ignore,
        Effect.forkIn(scope)
      )
  })

  return Effect.fnUntraced(function* (live: LiveSession, event: Retrying) {
    const at = yield* Clock.currentTimeMillis
    const next = nextTry(event, at)
    const until = next === undefined ? undefined : timeTold(next)
    const { turn } = live
    if (turn === undefined || turn.limit !== undefined || isOver(live)) return until
    if (next !== undefined) {
      const isLong = next - at > Duration.toMillis(settings.retryTimeout)
      if (isLong) yield* putOff(live, turn, event.message, until ?? null)
      return until
    }
    // Some do not tell how long they wait. A model may think for minutes when it was asked again.
    const { heard } = live
    const isStill = () => live.turn === turn && live.heard === heard && !isOver(live)
    yield* Effect.sleep(settings.stall).pipe(
      Effect.andThen(
        Effect.suspend(() => (isStill() ? putOff(live, turn, event.message, null) : Effect.void))
      ),
      Effect.forkIn(live.scope)
    )
    return until
  })
})
