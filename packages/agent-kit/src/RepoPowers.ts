import type { Brought } from "@rejoin/contracts/Trust"
import { Effect, type FileSystem, Option, Result } from "effect"
import { createHash } from "node:crypto"
import { dirname, join } from "node:path"

/** Something that an agent reads in a directory: a file, or a directory of files. */
export interface Power {
  /** Relative to a place in which the agent looks. */
  readonly path: string
  /** Undefined where nothing of it matters. A text is given for a file alone. */
  readonly what: (text: string) => Matter | undefined
}

/** What of it runs code, chooses an endpoint or widens powers. */
export interface Matter {
  /** In a few words. */
  readonly what: string
  /** Just that; where absent, all of it. An agent may add a harmless key to a file by itself, as OpenCode does. */
  readonly essence?: string
}

/** Its presence is enough. */
export const always =
  (what: string): Power["what"] =>
  () => ({ what })

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
      return text.trim() === "" ? undefined : { what: "not readable as JSON" }
    const entries = Object.entries(json.success).filter(([key]) => !harmless.includes(key))
    return entries.length === 0
      ? undefined
      : {
          what: entries.map(([key]) => key).join(", "),
          essence: JSON.stringify(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
        }
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

/** Whether git takes a directory for the root of a repository: an empty `.git` it passes over, and goes further up. */
const isRoot = (fs: FileSystem.FileSystem, place: string) => {
  const is = (type: FileSystem.File.Type, ...path: ReadonlyArray<string>) =>
    fs.stat(join(place, ".git", ...path)).pipe(
      Effect.map((found) => found.type === type),
      Effect.orElseSucceed(() => false)
    )
  const parts = Effect.all([is("File", "HEAD"), is("Directory", "objects"), is("Directory", "refs")])
  // A worktree's is a file.
  return Effect.zipWith(is("File"), parts, (linked, whole) => linked || whole.every(Boolean))
}

/** Where agents look: a directory and those above it, to the root of its repository, or of the disk without one. */
export const placesFrom = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, directory: string) {
  const places = [directory]
  for (let place = directory; ; place = dirname(place)) {
    if (place !== directory) places.push(place)
    if (yield* isRoot(fs, place)) return places
    if (place === dirname(place)) return places
  }
})

/**
 * What a directory brings for an agent, found by looking at its files. `own` are the places of the user's own
 * configuration, which is not a repository's.
 */
export const findPowers = (options: {
  readonly fs: FileSystem.FileSystem
  readonly agent: string
  readonly powers: ReadonlyArray<Power>
  readonly own: ReadonlyArray<string>
}) =>
  Effect.fn("findPowers")(function* (directory: string) {
    const { agent, fs, own, powers } = options
    const found: Array<Brought> = []
    for (const place of yield* placesFrom(fs, directory)) {
      for (const { path, what } of powers) {
        const file = join(place, path)
        if (own.some((mine) => file === mine || file.startsWith(`${mine}/`))) continue
        const content = yield* contentOf(fs, file)
        if (content === undefined) continue
        const matter = content.hash === "" ? { what: "cannot be read as a whole" } : what(content.text)
        if (matter === undefined) continue
        const { essence, what: told } = matter
        const hash = essence === undefined ? content.hash : createHash("sha256").update(essence).digest("hex")
        found.push({ agent, file, what: told, hash })
      }
    }
    return found
  })
