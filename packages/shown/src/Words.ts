import type { Receipt, ResumeOutcome } from "@rejoin/contracts/Receipt"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Thread } from "@rejoin/contracts/Thread"
import { visible } from "./Visible.ts"

/** What a thread is called. One in which nothing was said has no title yet. */
export const nameOf = ({ title }: Pick<Thread, "title">): string =>
  title === "" ? "New thread" : visible(title)

const states: Readonly<Record<Thread["session"]["state"], string>> = {
  none: "new",
  starting: "starting",
  ready: "ready",
  running: "working",
  waiting: "needs approval",
  stopped: "asleep",
  error: "failed"
}

/** What a thread is at. A last turn that failed is seen until another one runs. */
export const stateOf = ({
  pendingRequests,
  session,
  status,
  waitsUntil
}: Pick<Thread, "pendingRequests" | "session" | "status" | "waitsUntil">): string => {
  if (session.moved !== undefined) return "gone elsewhere"
  if (session.terminalSince !== undefined) return "in a terminal"
  if (pendingRequests > 0) return "needs approval"
  const isAtWork = session.state === "running" || session.state === "starting"
  if (waitsUntil !== undefined && !isAtWork) return "scheduled"
  return status === "error" && !isAtWork ? "failed" : states[session.state]
}

/** When the limit is over that a turn met, where that is told. */
export const limitEnd = (error: object | undefined): string | undefined => {
  if (error === undefined || !("_tag" in error) || error._tag !== "UsageLimited") return undefined
  return "resetsAt" in error && typeof error.resetsAt === "string" ? error.resetsAt : undefined
}

/** What an agent may do in each mode. */
export const modes: Readonly<Record<RuntimeMode, string>> = {
  "read-only": "Reads, and changes nothing.",
  "approval-required": "Asks before it edits a file or runs a command.",
  "auto-accept-edits": "Edits files in its directory, and asks for the rest.",
  "full-access": "Does everything without asking, with all that your user may do."
}

/** That the end of a conversation is the agent's no more. */
export const undoneText = (turns: number): string =>
  `${turns === 1 ? "1 turn was" : `${turns} turns were`} undone in the agent's own interface: the agent knows nothing of ${turns === 1 ? "it" : "them"} any more`

/** How far a conversation goes that was restored from our copy. */
export const restoredText = ({ whole }: { readonly whole: boolean }): string =>
  whole
    ? "The agent had lost the session: restored from our copy, with all that was said"
    : "The agent had lost the session: restored from our copy, which ends before the last message; the agent knows nothing of what came after"

/** What could not be carried; empty where all was. */
export const leftOutText = ({ leftOut }: NonNullable<Receipt["carried"]>): string =>
  Object.entries(leftOut)
    .map(([what, count]) => `${count} × ${what}`)
    .join(", ")

/** What another agent was given of a conversation. */
export const carriedText = (carried: NonNullable<Receipt["carried"]>): string => {
  const { approximateTokens, messages } = carried
  const left = leftOutText(carried)
  return `${messages} ${messages === 1 ? "message" : "messages"}, about ${approximateTokens} tokens${left && `; left out: ${left}`}`
}

/** What a start did with the conversation. */
export const outcomes: Readonly<Record<ResumeOutcome, string>> = {
  created: "Begun",
  adopted: "Went on",
  forked: "Moved, as a fork of the session",
  moved: "Moved",
  rehydrated: "Restored from our copy",
  replaced: "Began anew",
  "handed-over": "Handed over",
  refused: "Refused"
}
