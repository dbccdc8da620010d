import { Effect, type FileSystem, Option } from "effect"

/**
 * The process that holds a thread's writer lock, if there is one: Codex lets a second one fail with words only. Null
 * where nobody holds it; undefined where the system does not tell (it reads /proc/locks).
 */
export const writerOf = (fs: FileSystem.FileSystem, home: string, threadId: string) =>
  Effect.map(writersOf(fs, home, [threadId]), (writers) =>
    writers === undefined ? undefined : (writers.get(threadId) ?? null)
  )

/** The same of several at once, of those that somebody holds: what tells of all locks is slow to read. */
export const writersOf = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  home: string,
  threadIds: ReadonlyArray<string>
) {
  const writers = new Map<string, number>()
  const inodes = new Map<string, string>()
  for (const id of threadIds) {
    const lock = yield* Effect.option(fs.stat(`${home}/thread-writer-locks/${id}.lock`))
    const inode = Option.getOrUndefined(Option.flatMap(lock, ({ ino }) => ino))
    if (inode !== undefined) inodes.set(String(inode), id)
  }
  if (inodes.size === 0) return writers
  const locks = yield* Effect.option(fs.readFileString("/proc/locks"))
  if (Option.isNone(locks)) return undefined
  // "1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF"
  for (const line of locks.value.split("\n")) {
    const [, kind, , , pid, place] = line.trim().split(/\s+/)
    const id = inodes.get(place?.split(":").at(-1) ?? "")
    if (kind === "FLOCK" && id !== undefined && !writers.has(id)) writers.set(id, Number(pid))
  }
  return writers
})

/**
 * The descriptor by which a process holds a thread's writer lock; undefined where it does not, or the system does not
 * tell. Asked of the process itself: what tells of all locks, /proc/locks, makes the kernel wait for everybody who takes
 * one (10 ms, measured). `known` is the descriptor of the last time.
 */
export const heldBy = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  home: string,
  threadId: string,
  { known, pid }: { readonly pid: number; readonly known: string | undefined }
) {
  const lock = yield* Effect.option(fs.stat(`${home}/thread-writer-locks/${threadId}.lock`))
  const inode = Option.getOrUndefined(Option.flatMap(lock, ({ ino }) => ino))
  if (inode === undefined) return undefined
  const holds = (descriptor: string) =>
    Effect.gen(function* () {
      const { ino } = yield* fs.stat(`/proc/${pid}/fd/${descriptor}`)
      if (Option.getOrUndefined(ino) !== inode) return false
      // "lock:	1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF"
      return /^lock:.*\bFLOCK\b.*\bWRITE\b/m.test(
        yield* fs.readFileString(`/proc/${pid}/fdinfo/${descriptor}`)
      )
    }).pipe(Effect.orElseSucceed(() => false))
  if (known !== undefined && (yield* holds(known))) return known
  const open = yield* Effect.orElseSucceed(fs.readDirectory(`/proc/${pid}/fd`), () => [])
  for (const descriptor of open) if (yield* holds(descriptor)) return descriptor
  return undefined
})
