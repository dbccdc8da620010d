import * as E from "@rejoin/contracts/Errors"
import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { isAbove } from "@rejoin/contracts/RuntimeMode"
import { now, type Timestamp } from "@rejoin/contracts/Time"
import { Effect, Option } from "effect"
import type { ThreadEvents } from "../events/ThreadEvents.ts"
import type { TurnRecord } from "../store/Records.ts"
import type { ThreadStore } from "../store/ThreadStore.ts"
import { waits } from "@rejoin/contracts/Turn"
import { same, type Split } from "./Attachments.ts"

export interface QueueChange {
  readonly input?: string | undefined
  readonly attachments?: Split | undefined
  /** The waiting turn before which it is to run. */
  readonly before?: TurnId | undefined
  /** The time for which it waits; null for none. */
  readonly notBefore?: Timestamp | null | undefined
  /** The device that changes it: from then on it is that one's too. */
  readonly from?: TurnRecord["from"] | undefined
}

export const updated = ({ attachments, id, input, notBefore, status }: TurnRecord, before?: TurnId) => ({
  type: "turn.updated" as const,
  turnId: id,
  data: { input, attachments, status, ...(notBefore && { notBefore }), ...(before && { before }) }
})

/** The turn as it waits from now on: for that time, where it is to come, and else for its turn. */
const waitingFor = (turn: TurnRecord, notBefore: Timestamp | null, at: Timestamp): TurnRecord => {
  if (notBefore !== null && notBefore > at) return { ...turn, status: "deferred", notBefore }
  const { notBefore: _, ...now } = turn
  return { ...now, status: "accepted" }
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

/** A turn whose time has come waits behind those that wait for their turn already, wherever it was begun. */
export const last = (open: ReadonlyArray<TurnRecord>, turnId: TurnId): ReadonlyArray<TurnId> => [
  ...open.flatMap(({ id }) => (id === turnId ? [] : [id])),
  turnId
]

/** Changes a turn that waits: what it says, what goes with it, and when it is its turn. One that has begun stays as it is. */
export const makeEditQueued = (store: ThreadStore["Service"], events: ThreadEvents["Service"]) =>
  Effect.fn("TurnControl.editTurn")(function* (
    threadId: ThreadId,
    turnId: TurnId,
    { attachments, before, from, input, notBefore }: QueueChange
  ) {
    const binding = Option.getOrUndefined(yield* store.getBinding(threadId))
    return yield* events.transact(
      { threadId, generation: binding?.generation ?? 0 },
      (emit) =>
        Effect.gen(function* () {
          const stored = Option.getOrUndefined(yield* store.getTurn(turnId))
          if (stored?.threadId !== threadId) {
            return yield* new E.TurnNotFound({
              turnId,
              message: `There is no turn ${turnId} in this thread.`
            })
          }
          if (!waits(stored)) {
            return yield* new E.TurnBegun({
              turnId,
              message: "It does not wait any more, and stays as it was sent.",
              hint: "Interrupt it, or send another message."
            })
          }
          const turn: TurnRecord = {
            ...(notBefore === undefined ? stored : waitingFor(stored, notBefore, yield* now)),
            ...(from && { from: stored.from && isAbove(from.mode, stored.from.mode) ? stored.from : from }),
            ...(input !== undefined && { input }),
            ...(attachments !== undefined && { attachments: attachments.refs })
          }
          const open = yield* store.openTurns(threadId)
          if (before !== undefined && before !== turnId) {
            if (turn.status !== "accepted") {
              return yield* new E.InvalidInput({ field: "before", message: "It waits for its time." })
            }
            if (!open.some(({ id, status }) => id === before && status === "accepted")) {
              return yield* new E.InvalidInput({ field: "before", message: `No turn ${before} waits here.` })
            }
          }
          yield* store.saveTurn(turn)
          if (before !== undefined && before !== turnId) {
            yield* store.openTurnsLast(threadId, moved(open, turn, before))
          } else if (turn.status !== stored.status && turn.status === "accepted") {
            yield* store.openTurnsLast(threadId, last(open, turnId))
          }
          if (attachments !== undefined) yield* store.saveBlobs(turnId, attachments.blobs)
          emit(updated(turn, before))
          return turn
        }),
      { by: "anyone" }
    )
  })
