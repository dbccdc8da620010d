import type { Thread } from "@rejoin/contracts/Thread"
import { visible } from "@rejoin/shown/Visible"

export const baseOf = (path: string): string => visible(path.slice(path.lastIndexOf("/") + 1) || path)

/** Threads of one project stand together; without a project those of one directory do. */
export const groupOf = ({ cwd, project }: Thread): string => project ?? cwd

/** While it is at work nothing can be changed about it. */
export const isWorking = ({ session }: Thread): boolean =>
  session.state === "running" || session.state === "waiting" || session.state === "starting"

export const timeOf = (at: string): string => new Date(at).toLocaleString()
