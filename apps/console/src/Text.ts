import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Thread } from "@rejoin/contracts/Thread"

/** What a thread is called: its title, or how it began to be known. */
export const nameOf = ({ id, title }: Thread): string => (title === "" ? id : title)

export const baseOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1) || path

/** Threads of one project stand together; without a project those of one directory do. */
export const groupOf = ({ cwd, project }: Thread): string => project ?? cwd

const states: Readonly<Record<Thread["session"]["state"], string>> = {
  none: "new",
  starting: "starting",
  ready: "ready",
  running: "working",
  waiting: "asks you",
  stopped: "asleep",
  error: "failed"
}
export const stateOf = ({ session }: Thread): string =>
  session.terminalSince === undefined ? states[session.state] : "in a terminal"

/** While it is at work nothing can be changed about it. */
export const isWorking = ({ session }: Thread): boolean =>
  session.state === "running" || session.state === "waiting" || session.state === "starting"

export const modes: Readonly<Record<RuntimeMode, string>> = {
  "read-only": "Reads, and changes nothing.",
  "approval-required": "Asks before it edits a file or runs a command.",
  "auto-accept-edits": "Edits files in its directory, and asks for the rest.",
  "full-access": "Does everything without asking, with all that your user may do."
}

/** One line, so short. */
export const brief = (text: string, length: number): string => {
  // Of a text that is very long only the beginning is looked at.
  const line = text
    .slice(0, 4 * length)
    .replaceAll(/\s+/g, " ")
    .trim()
  return line.length > length || text.length > 4 * length ? `${line.slice(0, length - 1)}…` : line
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "narrow" })

/** How long ago, as of `now` (ms since the epoch). */
export const ago = (at: string, now: number): string => {
  const seconds = Math.round((Date.parse(at) - now) / 1000)
  if (seconds > -60) return "now"
  if (seconds > -3600) return relative.format(Math.round(seconds / 60), "minute")
  if (seconds > -86_400) return relative.format(Math.round(seconds / 3600), "hour")
  return relative.format(Math.round(seconds / 86_400), "day")
}

export const timeOf = (at: string): string => new Date(at).toLocaleString()
