import type { Brought } from "@rejoin/contracts/Trust"
import { Effect, type FileSystem, Option, Result } from "effect"
import { createHash } from "node:crypto"
import { dirname, join } from "node:path"

/** Something that an agent reads in a directory: a file, or a directory of files. */
export interface Power {
  /** Relative to a place in which the agent looks. */
  readonly path: string
  /**
   * What of it runs code, chooses an endpoint or widens powers, in a few words; undefined where nothing does. A text is
   * given for a file alone.
   */
  readonly what: (text: string) => string | undefined
}

/** Its presence is enough. */
export const always =
  (what: string): Power["what"] =>
  () =>
    what

/** JSON with comments and trailing commas, as agents read their configuration. */
const relaxed = (text: string): unknown =>
  JSON.parse(
    text
      .replace(/("(?:\\.|[^"\\])*")|\/\*[^]*?\*\/|\/\/[^\n]*/g, "$1")
      .replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, "$1")
  )

/**
 * The keys of a JSON file, without those that are known to do no harm. What cannot be read as JSON may be read
 * otherwise by the agent: it counts as a whole.
 */
export const keysBut =
  (harmless: ReadonlyArray<string>): Power["what"] =>
  (text) => {
    const json = Result.try(() => relaxed(text))
    if (Result.isFailure(json) || typeof json.success !== "object" || json.success === null)
      return text.trim() === "" ? undefined : "not readable as JSON"
    const keys = Object.keys(json.success).filter((key) => !harmless.includes(key))
    return keys.length === 0 ? undefined : keys.join(", ")
  }

/** How many files of a directory are hashed by what they hold, and how many bytes of one. */
const most = { files: 2000, bytes: 4 * 1024 * 1024 }

/**
 * What is at a path, as something that changes with it. Empty where it cannot be read: nobody can have looked at
 * that, so it is never trusted.
 */
const contentOf = (
  fs: FileSystem.FileSystem,
  path: string
): Effect.Effect<{ readonly hash: string; readonly text: string } | undefined> =>
  Effect.gen(function* () {
    const stat = yield* Effect.option(fs.stat(path))
    if (Option.isNone(stat)) return undefined
    const hash = createHash("sha256")
    if (stat.value.type === "File") {
      if (stat.value.size > BigInt(most.bytes)) return { hash: "", text: "" }
      const text = yield* fs.readFileString(path)
      return { hash: hash.update(text).digest("hex"), text }
    }
    const names = (yield* fs.readDirectory(path, { recursive: true })).toSorted()
    if (names.length > most.files) return { hash: "", text: "" }
    for (const name of names) {
      const { size, type } = yield* fs.stat(join(path, name))
      if (type !== "File") continue
      if (size > BigInt(most.bytes)) return { hash: "", text: "" }
      hash
        .update(`${name}\0`)
        .update(yield* fs.readFile(join(path, name)))
        .update("\0")
    }
    return names.length === 0 ? undefined : { hash: hash.digest("hex"), text: "" }
  }).pipe(Effect.orElseSucceed(() => ({ hash: "", text: "" })))

/** The places in which agents look: a directory and those above it, to the root of its repository or of the disk. */
export const placesFrom = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  directory: string,
  to: "repository" | "disk"
) {
  const places = [directory]
  let inside = false
  for (let place = directory; ; place = dirname(place)) {
    if (place !== directory) places.push(place)
    // A worktree's is a file.
    if (!inside && (yield* Effect.orElseSucceed(fs.exists(join(place, ".git")), () => false))) {
      inside = true
      if (to === "repository") return places
    }
    if (place === dirname(place)) break
  }
  return to === "disk" ? places : [directory]
})

/**
 * What a directory brings for an agent, found by looking at its files. `own` are the places of the user's own
 * configuration, which is not a repository's.
 */
export const findPowers = (options: {
  readonly fs: FileSystem.FileSystem
  readonly agent: string
  readonly powers: ReadonlyArray<Power>
  readonly to: "repository" | "disk"
  readonly own: ReadonlyArray<string>
}) =>
  Effect.fn("findPowers")(function* (directory: string) {
    const { agent, fs, own, powers, to } = options
    const found: Array<Brought> = []
    for (const place of yield* placesFrom(fs, directory, to)) {
      for (const { path, what } of powers) {
        const file = join(place, path)
        if (own.some((mine) => file === mine || file.startsWith(`${mine}/`))) continue
        const content = yield* contentOf(fs, file)
        if (content === undefined) continue
        const told = content.hash === "" ? "cannot be read as a whole" : what(content.text)
        if (told !== undefined) found.push({ agent, file, what: told, hash: content.hash })
      }
    }
    return found
  })
