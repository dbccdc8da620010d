import type { MessageId } from "@rejoin/contracts/Ids"
import { Effect } from "effect"
import type { TurnRecord } from "../store/Records.ts"

/** What is left of our turns in a conversation whose end somebody undid. */
export interface Left {
  /** The last message of ours that is still there; null where none is. */
  readonly mark: MessageId | null
  /** The turns that are not, oldest first. */
  readonly undone: ReadonlyArray<TurnRecord>
}

/** A steer belongs to its turn: where that was undone, so was the steer. */
const messageOf = (turn: TurnRecord): MessageId | null => (turn.undone ? null : turn.messageId)

/**
 * Finds how far our turns, oldest first, are still there; `holds` asks the upstream about one message. An undo takes
 * away the end. So of the turns that were answered, which were all there once, the last one that is left is found by
 * halves; of those after it, which may never have arrived, each is asked about.
 */
export const findLeft = Effect.fnUntraced(function* <E, R>(
  turns: ReadonlyArray<TurnRecord>,
  holds: (mark: MessageId) => Effect.Effect<boolean, E, R>
) {
  const sent = turns.filter((turn) => messageOf(turn) !== null)
  const isThere = (turn: TurnRecord | undefined) => {
    const message = turn && messageOf(turn)
    return message ? holds(message) : Effect.succeed(false)
  }
  const answered = sent.flatMap((turn, at) => (turn.status === "completed" ? [at] : []))
  let [low, high] = [0, answered.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (yield* isThere(sent[answered[middle] ?? -1])) low = middle + 1
    else high = middle
  }
  const floor = low === 0 ? -1 : (answered[low - 1] ?? -1)
  let last = (answered[low] ?? sent.length) - 1
  while (last > floor && !(yield* isThere(sent[last]))) last--
  const mark = sent[last]
  return { mark: mark ? messageOf(mark) : null, undone: sent.slice(last + 1) } satisfies Left
})
