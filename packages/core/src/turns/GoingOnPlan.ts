import type { Failure } from "@rejoin/contracts/Failure"
import { Timestamp, timestampOf } from "@rejoin/contracts/Time"
import type { OnInterrupted, OnLimit } from "@rejoin/contracts/Unattended"
import { Schema } from "effect"
import type { TurnRecord } from "../store/Records.ts"
import type { GoesOn } from "./NewTurn.ts"

/** How often in a row turns go on: without anything done, by the last reason, and in all. */
const inVainAtMost = { limit: 5, interrupted: 3 } as const
const inAllAtMost = 20
/** In ms. */
const firstPause = 30 * 60_000

/** What the agent is told in the user's place: a follow-up, not what was said before once more. */
const words = {
  limit: "The usage limit that ended your last turn is over. Look at what is done, then go on.",
  server: "The server restarted while you worked. Look at what is done, then go on.",
  agent: "Your program ended while you worked. Look at what is done, then go on."
} as const

const Limit = Schema.TaggedStruct("UsageLimited", {
  scope: Schema.String,
  resetsAt: Schema.NullOr(Timestamp)
})
export const isLimit = Schema.is(Limit)

const chain = (
  { continues, id }: TurnRecord,
  because: "limit" | "interrupted",
  done: boolean
): GoesOn["continues"] | undefined => {
  const before = continues ?? { inAll: 0, inVain: 0 }
  const next = { turnId: id, because, inAll: before.inAll + 1, inVain: done ? 1 : before.inVain + 1 }
  return next.inVain > inVainAtMost[because] || next.inAll > inAllAtMost ? undefined : next
}

/**
 * The turn that waits for a limit's end, if one does. What the agent has in its conversation is not said again; what it
 * never got is.
 */
export const afterLimit = (
  turn: TurnRecord,
  known: {
    readonly failure: Failure | undefined
    readonly policy: OnLimit
    /** Whether something was done in the turn before it met the limit. */
    readonly done: boolean
    /** Whether its message is in the agent's conversation; undefined where that is not known. */
    readonly kept: boolean | undefined
    /** In ms since the epoch. */
    readonly at: number
    /** How long a limit is waited for at most, in ms. */
    readonly atMost: number
  }
): GoesOn | undefined => {
  const { at, atMost, done, failure, kept, policy } = known
  if (policy !== "wait" || !isLimit(failure) || turn.interruptAsked) return undefined
  const { resetsAt } = failure
  const continues = chain(turn, "limit", done)
  if (continues === undefined) return undefined
  // One that tells no end, or an old one, is tried again, each time after twice as long.
  const told = resetsAt === null ? 0 : Date.parse(resetsAt)
  const ends = told > at ? told : at + firstPause * 2 ** (continues.inVain - 1)
  if (ends - at > atMost) return undefined
  const notBefore = timestampOf(ends)
  const next = { continues: { ...continues, scope: failure.scope }, notBefore }
  if (kept === true) return { ...next, input: words.limit, attachments: [] }
  const said = [turn, ...turn.steers].map(({ input }) => input).join("\n\n")
  return {
    ...next,
    input: kept === false ? said : `${words.limit} It began with this, if you do not have it:\n\n${said}`,
    attachments: [turn, ...turn.steers].flatMap(({ attachments = [] }) => attachments)
  }
}

/** The turn that goes on where one was cut off, if one does: never where a person did it, or where nobody knows where. */
export const afterInterruption = (
  turn: TurnRecord,
  known: {
    readonly policy: OnInterrupted
    readonly by: "server" | "agent"
    readonly done: boolean
    /** Its message is in the agent's conversation, and the directory and the mode in which it ran were read back. */
    readonly sure: boolean
  }
): GoesOn | undefined => {
  const { by, done, policy, sure } = known
  if (policy !== "continue" || turn.interruptAsked || !sure) return undefined
  const continues = chain(turn, "interrupted", done)
  return continues && { input: words[by], attachments: [], continues }
}
