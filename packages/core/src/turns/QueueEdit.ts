import * as E from "@rejoin/contracts/Errors"
import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { Effect, Option } from "effect"
import type { ThreadEvents } from "../events/ThreadEvents.ts"
import type { TurnRecord } from "../store/Records.ts"
import type { ThreadStore } from "../store/ThreadStore.ts"
import { same, type Split } from "./Attachments.ts"

export interface QueueChange {
  readonly input?: string | undefined
  readonly attachments?: Split | undefined
  /** The waiting turn before which it is to run. */
  readonly before?: TurnId | undefined
}

/** Whether the turn that is about to be sent is still the one that waits first, as it was read. */
export const isStillNext = (stored: TurnRecord, turn: TurnRecord, open: ReadonlyArray<TurnRecord>): boolean =>
  stored.status === "accepted" &&
  stored.input === turn.input &&
  same(stored.attachments, turn.attachments) &&
  open.find(({ status }) => status === "accepted")?.id === turn.id

/** The order of open turns with one of them before another. */
const moved = (open: ReadonlyArray<TurnRecord>, turn: TurnRecord, before: TurnId) =>
  open.flatMap((one) => {
    if (one.id === turn.id) return []
    return one.id === before ? [turn.id, one.id] : [one.id]
  })

/** Changes a turn that waits: what it says, what goes with it, and when it is its turn. One that has begun stays as it is. */
export const makeEditQueued = (store: ThreadStore["Service"], events: ThreadEvents["Service"]) =>
  Effect.fn("TurnControl.editTurn")(function* (
    threadId: ThreadId,
    turnId: TurnId,
    { attachments, before, input }: QueueChange
  ) {
    const binding = Option.getOrUndefined(yield* store.getBinding(threadId))
    return yield* events.transact({ threadId, generation: binding?.generation ?? 0 }, (emit) =>
      Effect.gen(function* () {
        const stored = Option.getOrUndefined(yield* store.getTurn(turnId))
        if (stored?.threadId !== threadId) {
          return yield* new E.TurnNotFound({ turnId, message: `There is no turn ${turnId} in this thread.` })
        }
        if (stored.status !== "accepted") {
          return yield* new E.TurnBegun({
            turnId,
            message: "It does not wait any more, and stays as it was sent.",
            hint: "Interrupt it, or send another message."
          })
        }
        const turn: TurnRecord = {
          ...stored,
          ...(input !== undefined && { input }),
          ...(attachments !== undefined && { attachments: attachments.refs })
        }
        if (before !== undefined && before !== turnId) {
          const open = yield* store.openTurns(threadId)
          if (!open.some(({ id, status }) => id === before && status === "accepted")) {
            return yield* new E.InvalidInput({ field: "before", message: `No turn ${before} waits here.` })
          }
          yield* store.openTurnsLast(threadId, moved(open, turn, before))
        }
        yield* store.saveTurn(turn)
        if (attachments !== undefined) yield* store.saveBlobs(turnId, attachments.blobs)
        const data = { input: turn.input, attachments: turn.attachments, ...(before && { before }) }
        emit({ type: "turn.updated", turnId, data })
        return turn
      })
    )
  })
