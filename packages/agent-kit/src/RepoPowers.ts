import type { Brought } from "@rejoin/contracts/Trust"
import { Effect, type FileSystem, Result } from "effect"
import { createHash } from "node:crypto"
import { dirname, join } from "node:path"
import { contentAt, programsNamed } from "./RepoFiles.ts"
import { placesFrom } from "./RepoPlaces.ts"

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

/**
 * What a directory brings for an agent, found by looking at its files. `own` are the places of the user's own
 * configuration, which is not a repository's. Something has no hash where it cannot be read as a whole: nobody can have
 * looked at that, so it is never trusted.
 */
export const findPowers = (options: {
  readonly fs: FileSystem.FileSystem
  readonly agent: string
  readonly powers: ReadonlyArray<Power>
  readonly own: ReadonlyArray<string>
  /** Where the agent looks, for a session in a directory: the nearest first. */
  readonly places?: typeof placesFrom
}) =>
  Effect.fn("findPowers")(function* (directory: string) {
    const { agent, fs, own, places: from = placesFrom, powers } = options
    const places = yield* from(fs, directory)
    const look = Effect.fnUntraced(function* (place: string, { path, what }: Power) {
      const file = join(place, path)
      if (own.some((mine) => file === mine || file.startsWith(`${mine}/`))) return []
      const content = yield* contentAt(file)
      if (content === "absent") return []
      if (content === "unreadable") return [{ agent, file, what: "cannot be read as a whole", hash: "" }]
      const matter = what(content.text)
      if (matter === undefined) return []
      const { essence = content.hash, what: told } = matter
      const programs = yield* programsNamed(essence, [place, dirname(file)])
      const hash = createHash("sha256").update(essence).update(programs).digest("hex")
      return [{ agent, file, what: told, hash }]
    })
    // Side by side: it is asked before every turn.
    const found: ReadonlyArray<ReadonlyArray<Brought>> = yield* Effect.forEach(
      places.flatMap((place) => powers.map((power) => look(place, power))),
      (looking) => looking,
      { concurrency: 16 }
    )
    return found.flat()
  })
