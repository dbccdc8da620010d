import { isWithin } from "@rejoin/core/threads/Within"
import { readlinkSync, realpathSync } from "node:fs"
import { basename, dirname, join, relative, resolve } from "node:path"

/** So many links may lead to one another. */
const links = 40

/** Where a path really leads, a link to what is not there yet too; of one that is not there, where its directory does. */
export const realOf = (path: string, left = links): string => {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    if (parent === path || left === 0) return path
    try {
      return realOf(resolve(parent, readlinkSync(path)), left - 1)
    } catch {
      return join(realOf(parent, left), basename(path))
    }
  }
}

/** What runs, or lets something run, later and by itself: git's hooks, an agent's settings, what a shell or an editor loads. */
const runsLater =
  /(^|\/)(\.(git|claude|codex|opencode|github|qwen|gemini|copilot|vscode|idea|husky)(\/|$)|\.(mcp\.json|envrc|env)$|\.mcp\.json$)/

/** Whether an edit of this path stays in one of these directories, and changes nothing there that runs by itself. */
export const isOwnEdit = (path: string, directories: ReadonlyArray<string>): boolean => {
  const real = realOf(resolve(directories[0] ?? "/", path))
  return directories.some(
    (directory) => isWithin(directory, real) && !runsLater.test(relative(directory, real))
  )
}
