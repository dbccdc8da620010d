import { Effect, type FileSystem } from "effect"
import { join } from "node:path"
import { textWithin } from "./RepoFiles.ts"
import { placesFrom } from "./RepoPlaces.ts"

/** In characters, of one file. */
const most = 100_000

/**
 * What a directory tells its agents in words: the files of the first name that is found at all, from the directory
 * upwards. The switch by which an agent is kept from loading a directory's configuration may keep it from reading these
 * too. They run nothing, so they are told by us then.
 */
export const instructionsOf = Effect.fn("instructionsOf")(function* (
  fs: FileSystem.FileSystem,
  directory: string,
  names: ReadonlyArray<string>
) {
  const places = yield* placesFrom(fs, directory)
  for (const name of names) {
    const found: Array<string> = []
    for (const place of places) {
      const file = yield* textWithin(join(place, name), place)
      if (typeof file !== "string")
        found.push(`Instructions from: ${join(place, name)}\n${file.text.slice(0, most)}`)
    }
    if (found.length > 0) return found.join("\n\n")
  }
  return undefined
})

/** Several texts as one system prompt; null where there is none. */
export const together = (...texts: ReadonlyArray<string | null | undefined>): string | null => {
  const said = texts.filter((text) => typeof text === "string")
  return said.length === 0 ? null : said.join("\n\n")
}
