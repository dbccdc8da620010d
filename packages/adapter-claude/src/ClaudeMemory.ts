import { textWithin } from "@rejoin/agent-kit/RepoFiles"
import { Effect, type FileSystem, type PlatformError } from "effect"
import { dirname, join } from "node:path"

/** In characters, of one file. */
const most = 100_000

/**
 * What stands above a directory, and what is its user's alone: Claude reads it as memory. The files of the directory
 * itself it reads by itself, when the directory is named once more (docs/providers/claude.md: What a directory brings).
 */
const above = Effect.fnUntraced(function* (directory: string, own: string) {
  const files = [join(directory, "CLAUDE.local.md")]
  for (let place = dirname(directory); ; place = dirname(place)) {
    files.unshift(...["CLAUDE.md", ".claude/CLAUDE.md", "CLAUDE.local.md"].map((name) => join(place, name)))
    if (place === dirname(place)) break
  }
  const found: Array<string> = []
  for (const file of files.filter((file) => dirname(file) !== own)) {
    const within = dirname(file).endsWith("/.claude") ? dirname(dirname(file)) : dirname(file)
    const read = yield* textWithin(file, within)
    // An import would be looked for beside our copy.
    if (typeof read !== "string") found.push(`From ${file}:\n\n${read.text.slice(0, most)}`)
  }
  return found
})

/** Makes Claude read the memory of the directories that it is given besides its own. */
const variable = { CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD: "1" }

/**
 * By which Claude has the memory of its directory, where it is started without the sources that bring it: the
 * directory is named once more, and what stands above it is copied into `scratch`, a directory of ours.
 */
export const withMemory = Effect.fn("Claude.memory")(function* (
  fs: FileSystem.FileSystem,
  options: { readonly directory: string; readonly own: string; readonly scratch: string }
): Effect.fn.Return<
  { readonly directories: ReadonlyArray<string>; readonly env: Readonly<Record<string, string>> },
  PlatformError.PlatformError
> {
  const { directory, own, scratch } = options
  const found = yield* above(directory, own)
  if (found.length === 0) return { directories: [directory], env: variable }
  const memory = join(scratch, "memory")
  yield* fs.makeDirectory(memory, { recursive: true, mode: 0o700 })
  yield* fs.writeFileString(join(memory, "CLAUDE.md"), found.join("\n\n"), { mode: 0o600 })
  return { directories: [directory, memory], env: variable }
})
