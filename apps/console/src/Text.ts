import type { Thread } from "@rejoin/contracts/Thread"
import { visible } from "@rejoin/shown/Visible"

export const baseOf = (path: string): string => visible(path.slice(path.lastIndexOf("/") + 1) || path)

/** Threads of one project stand together; without a project those of one directory do. */
export const groupOf = ({ cwd, project }: Thread): string => project ?? cwd

/** While it is at work nothing can be changed about it. */
export const isWorking = ({ session }: Thread): boolean =>
  session.state === "running" || session.state === "waiting" || session.state === "starting"

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
