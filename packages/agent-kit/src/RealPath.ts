import { realpathSync } from "node:fs"
import { basename, dirname, join } from "node:path"

/** Where a path really leads; of one that is not there yet, where its directory does. */
export const realOf = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(realOf(parent), basename(path))
  }
}
