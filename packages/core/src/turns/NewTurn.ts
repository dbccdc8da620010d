import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { Timestamp } from "@rejoin/contracts/Time"
import type { Delivery } from "@rejoin/contracts/Turn"
import type { TurnRecord } from "../store/Records.ts"
import type { Split } from "./Attachments.ts"

/** A turn that is to be accepted, with its attachments in two (`Attachments`). */
export interface NewTurn {
  readonly threadId: ThreadId
  readonly input: string
  readonly attachments: Split
  readonly delivery: Delivery | null
  readonly idempotencyKey: string | null
  /** Where that is to come, it waits for it. */
  readonly notBefore?: Timestamp | undefined
  /** The device that sent it. */
  readonly from?: TurnRecord["from"] | undefined
}

/** A turn of nobody's that goes on with one that is being settled. */
export interface GoesOn {
  readonly input: string
  readonly attachments: TurnRecord["attachments"]
  readonly continues: NonNullable<TurnRecord["continues"]>
  readonly notBefore?: Timestamp
}

export const goesOnText = ({ notBefore }: GoesOn): string =>
  notBefore === undefined ? "It goes on by itself." : "It goes on by itself when that is over."

/** Its record: it waits for its time, where that is to come, and else for its turn. */
export const newTurn = (
  id: TurnId,
  turn: Omit<NewTurn, "attachments"> & Pick<TurnRecord, "attachments"> & Partial<Pick<GoesOn, "continues">>,
  at: Timestamp
): TurnRecord => {
  const { from, notBefore, ...rest } = turn
  const isLater = notBefore !== undefined && notBefore > at
  return {
    ...rest,
    ...(isLater && { notBefore }),
    ...(from && { from }),
    id,
    status: isLater ? "deferred" : "accepted",
    output: "",
    steers: [],
    error: null,
    messageId: null,
    generation: null,
    acceptedAt: at,
    startedAt: null,
    settledAt: null
  }
}

/** That it is there, as readers are told. */
export const accepted = ({ attachments, continues, id, input, notBefore }: TurnRecord) => ({
  type: "turn.accepted" as const,
  turnId: id,
  data: {
    input,
    ...(attachments.length > 0 && { attachments }),
    ...(notBefore && { notBefore }),
    ...(continues && { continues: { turnId: continues.turnId, because: continues.because } })
  }
})
