import { Effect, type FileSystem } from "effect"
import { join } from "node:path"
import { withMemory } from "./ClaudeMemory.ts"

/** What a Claude is told by files. */
export interface ClaudeFiles {
  /** Arguments that name the file of the system prompt. */
  readonly prompt: ReadonlyArray<string>
  /** Whose memory it reads. */
  readonly directories: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
}

/**
 * Writes what a Claude is told into `scratch`, a directory that only its owner reads: arguments are for every user of
 * the machine to read.
 */
export const writeFiles = Effect.fn("Claude.files")(function* (
  fs: FileSystem.FileSystem,
  scratch: string,
  start: {
    readonly cwd: string
    readonly loads: string | null
    readonly systemPrompt: string | null
    /** Claude's own directory. */
    readonly own: string
  }
) {
  const { cwd, loads, own, systemPrompt } = start
  const file = join(scratch, "system-prompt")
  if (systemPrompt !== null) yield* fs.writeFileString(file, systemPrompt, { mode: 0o600 })
  const memory =
    loads === null
      ? yield* withMemory(fs, { directory: cwd, own, scratch })
      : // Its own sources bring it.
        { directories: [], env: {} }
  const files: ClaudeFiles = {
    prompt: systemPrompt === null ? [] : ["--append-system-prompt-file", file],
    ...memory
  }
  return files
})
