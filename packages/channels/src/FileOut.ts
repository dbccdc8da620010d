import { Effect, FileSystem } from "effect"
import { basename, isAbsolute, relative, resolve } from "node:path"
import type { File } from "./ChannelAdapter.ts"
import { Refusal } from "./Refusal.ts"

const not = (message: string) => new Refusal({ message })

/**
 * A file that may go out (T16): a regular one under the thread's directory, wherever links lead, and not too large.
 * `atMost` in bytes.
 */
export const fileIn = Effect.fn("Channel.fileIn")(function* (
  directory: string,
  path: string,
  atMost: number
): Effect.fn.Return<File, Refusal, FileSystem.FileSystem> {
  const fs = yield* FileSystem.FileSystem
  if (path.trim() === "") return yield* not("Which one? /file <path>, within the directory.")
  const missing = not(`There is no file ${path} in the directory.`)
  const root = yield* Effect.mapError(fs.realPath(directory), () => not(`${directory} is not there.`))
  const real = yield* Effect.mapError(fs.realPath(resolve(root, path)), () => missing)
  const within = relative(root, real)
  // What lies elsewhere is not told from what is not there.
  if (within === "" || within.startsWith("..") || isAbsolute(within)) return yield* missing
  const { size, type } = yield* Effect.mapError(fs.stat(real), () => missing)
  if (type !== "File") return yield* not(`${path} is no file.`)
  if (Number(size) > atMost)
    return yield* not(
      `${path} is larger than the ${Math.floor(atMost / 1_000_000)} MB that can be sent here.`
    )
  const bytes = yield* Effect.mapError(fs.readFile(real), () => not(`${path} cannot be read.`))
  // The agent may have put another thing in its place meanwhile.
  const still = yield* Effect.orElseSucceed(fs.realPath(resolve(root, path)), () => "")
  if (still !== real || bytes.length > atMost) return yield* missing
  return { name: basename(real), bytes }
})
