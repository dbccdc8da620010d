import type { Item } from "@rejoin/contracts/Item"
import type { SessionState, Thread } from "@rejoin/contracts/Thread"
import type { Timestamp } from "@rejoin/contracts/Time"
import { type LiveSession, openItems } from "../sessions/LiveSessions.ts"
import type { Binding, ThreadRecord } from "../store/Records.ts"
import type { TranscriptHead } from "../store/TranscriptStore.ts"

/** What a thread's record is seen with. */
export interface Around {
  readonly binding: Binding
  /** Requests that wait for an answer. */
  readonly waiting: number
  /** Until when the first of its turns that wait for their time does. */
  readonly until: Timestamp | undefined
  readonly live: LiveSession | undefined
  /** Another machine may have its session. */
  readonly elsewhere: boolean
  readonly starting: boolean
  readonly copy: TranscriptHead | undefined
}

const stateOf = (
  thread: ThreadRecord,
  { binding, elsewhere, live, starting, waiting }: Around
): SessionState => {
  if (starting) return "starting"
  if (live !== undefined && !live.ended) {
    return live.turn === undefined ? "ready" : waiting > 0 ? "waiting" : "running"
  }
  if (thread.status === "error") return "error"
  // What another machine has alive; here nothing is that is not live.
  if (elsewhere && (binding.status === "ready" || binding.status === "running"))
    return binding.status === "running" && waiting > 0 ? "waiting" : binding.status
  return binding.providerSessionId === null ? "none" : "stopped"
}

/** S12: the last of what has begun and is more than talk, in one line of no more than 80 characters. */
const runningTool = (items: ReadonlyArray<Item>): string | undefined => {
  const tool = items.findLast(({ kind }) => ["command", "file-change", "tool-call"].includes(kind))
  const { changes, command, title, toolName } = tool ?? {}
  const paths = changes?.map(({ path }) => path).join(", ")
  return (command ?? paths ?? title ?? toolName ?? tool?.kind)?.replaceAll(/\s+/g, " ").trim().slice(0, 80)
}

/** The thread as its user sees it; what was given it in confidence is left out. */
export const threadView = (thread: ThreadRecord, around: Around): Thread => {
  const { binding, copy, live, until, waiting } = around
  // One of a session that the thread left is of no use to it.
  const isOwn = copy !== undefined && copy.providerSessionId === binding.providerSessionId
  const { additionalDirectories: _, extraEnv: __, key, lastError, project, ...rest } = thread
  const tool = live?.ended === false && live.turn ? runningTool(openItems(live.turn)) : undefined
  return {
    ...rest,
    ...(project !== null && { project }),
    ...(key !== null && { key }),
    ...(lastError !== null && { lastError }),
    ...(until !== undefined && { waitsUntil: until }),
    transcript: isOwn ? { bytes: copy.bytes, upToTurnId: copy.upToTurnId, at: copy.at } : null,
    session: {
      state: stateOf(thread, around),
      ...(binding.providerSessionId !== null && { providerSessionId: binding.providerSessionId }),
      ...(tool !== undefined && { runningTool: tool }),
      ...(binding.resetRequested && { startsAnew: true as const }),
      ...(binding.terminal !== null && { terminalSince: binding.terminal.at }),
      ...(binding.moved !== null && { moved: binding.moved })
    },
    generation: binding.generation,
    pendingRequests: waiting
  }
}
