import { appendFileSync, renameSync, rmSync, statSync } from "node:fs"

/** In bytes: of one file, of which the last ones are kept beside it as `.1`, `.2`. */
const most = { bytes: 10 * 1024 * 1024, files: 2 }

const sizeOf = (path: string): number => {
  try {
    return statSync(path).size
  } catch {
    return 0
  }
}

/** Moves a log that has grown large aside, and forgets the oldest. */
export const rotate = (path: string, limit = most.bytes): void => {
  if (sizeOf(path) < limit) return
  for (let at = most.files; at > 0; at--) {
    const from = at === 1 ? path : `${path}.${at - 1}`
    try {
      renameSync(from, `${path}.${at}`)
    } catch {
      // There is none yet.
      rmSync(`${path}.${at}`, { force: true })
    }
  }
}

/**
 * Adds lines to a log. At once, so that the last word of a server that dies is there; where they cannot be written,
 * nobody is to be told where.
 */
export const append = (path: string, text: string): void => {
  try {
    rotate(path)
    appendFileSync(path, text, { mode: 0o600 })
  } catch {
    // The disk is full: what is to be kept of the threads comes first.
  }
}
