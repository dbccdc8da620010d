import { Effect, type FileSystem, Option } from "effect"

/**
 * The process that holds a thread's writer lock, if there is one: Codex lets a second one fail with words only. Null
 * where nobody holds it; undefined where the system does not tell (it reads /proc/locks).
 */
export const writerOf = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  home: string,
  threadId: string
) {
  const lock = yield* Effect.option(fs.stat(`${home}/thread-writer-locks/${threadId}.lock`))
  const inode = Option.getOrUndefined(Option.flatMap(lock, ({ ino }) => ino))
  if (inode === undefined) return null
  const locks = yield* Effect.option(fs.readFileString("/proc/locks"))
  if (Option.isNone(locks)) return undefined
  // "1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF"
  const line = locks.value
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .find(([, kind, , , , place]) => kind === "FLOCK" && place?.endsWith(`:${inode}`))
  return line === undefined ? null : Number(line[4])
})
