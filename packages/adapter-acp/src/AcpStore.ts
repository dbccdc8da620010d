import { endOf, makeFileTail, type FileEnd, type FileTail } from "@rejoin/agent-kit/FileTail"
import type { Failure } from "@rejoin/contracts/Failure"
import { Data, Effect, type FileSystem, Option, Semaphore } from "effect"

/** A message of its user's, as the agent wrote it down. */
export interface Recorded {
  readonly id: string
  readonly text: string
  /** Where the session worked when it was said, where that is told. */
  readonly cwd?: string
  /** The agent has dropped it: its model is not told of it any more. */
  readonly dropped?: boolean
}

/** What a record of a session tells. */
export interface AcpRecord {
  /** In their order. One that the agent dropped again is among them: it was said. */
  readonly messages: ReadonlyArray<Recorded>
  /** Where it works. */
  readonly cwd: string | undefined
  /**
   * Nothing of what was said is left in the agent's memory: since all of it was interrupted, and the agent forgets that;
   * or a conversation is gone.
   */
  readonly emptied?: "interrupted" | "lost"
  /** Why what was asked last has failed, where the agent says so nowhere else. */
  readonly failure?: Failure | undefined
}

/** A record while it is read: a long one is not copied for each of its lines. */
export type Growing = Omit<AcpRecord, "messages"> & { readonly messages: Array<Recorded> }

export const nothingRecorded = (): Growing => ({ messages: [], cwd: undefined })

/** It is there, and cannot be read as what it should be. */
export class Unreadable extends Data.TaggedError("Unreadable")<{ readonly message: string }> {}

/** An agent's own records: evidence of what it has, read only but for `tidy` and `discard`. */
export interface AcpStore {
  /** The directory that holds them. */
  readonly root: string
  /** None where there is no record of this id; by the directory in which it works, where they are kept by that. */
  readonly read: (id: string, cwd: string) => Effect.Effect<Option.Option<AcpRecord>, Unreadable>
  /** Files of a session relative to `root`: what it needs to be gone on with. */
  readonly files: (id: string, cwd: string) => Effect.Effect<ReadonlyArray<string>, Unreadable>
  /** Whether a file can be one of this session's. */
  readonly isRecord: (file: string, id: string) => boolean
  /** Another process that works on it, where that is told. */
  readonly holder?: (id: string) => Effect.Effect<number | undefined>
  /** When it may be loaded without harm, in ms since the epoch. */
  readonly loadNotBefore?: (id: string, cwd: string) => Effect.Effect<number>
  /** Takes away what a load leaves, which would make the agent delete the session. */
  readonly tidy?: (cwd: string) => Effect.Effect<void>
  /** Removes what was created and in which nothing was said. */
  readonly discard: (id: string, cwd: string) => Effect.Effect<void>
  /** A message is on the disk before anything is done about it: one that is not there had no effect. */
  readonly prompt: boolean
}

/**
 * What a file of lines tells, folded; read on from where it was left: that costs what is new. Another file in its place,
 * or a shorter one, is read from its beginning.
 */
export const makeFolded = <State>(
  fs: FileSystem.FileSystem,
  empty: () => State,
  fold: (state: State, line: unknown) => State
) => {
  const known = new Map<string, { readonly end: FileEnd; readonly tail: FileTail; state: State }>()
  // Two who read at once would fold the same lines twice.
  const lock = Semaphore.makeUnsafe(1)
  const begin = Effect.fnUntraced(function* (path: string) {
    const { inode } = yield* endOf(fs, path)
    const end = { inode, size: 0 }
    const file = { end, tail: makeFileTail(fs, path, end), state: empty() }
    known.set(path, file)
    // The oldest are read anew if they are asked for again.
    if (known.size > 200) known.delete([...known.keys()][0] ?? "")
    return file
  })
  const read = Effect.fnUntraced(function* (path: string) {
    let file = known.get(path) ?? (yield* begin(path))
    let lines = yield* file.tail.next
    if (Option.isNone(lines)) {
      file = yield* begin(path)
      lines = yield* file.tail.next
    }
    for (const line of Option.getOrElse(lines, () => [])) {
      const parsed = yield* Effect.try({
        try: () => JSON.parse(line) as unknown,
        catch: () => new Unreadable({ message: `${path} has a line that is no record` })
      }).pipe(Effect.tapError(() => Effect.sync(() => known.delete(path))))
      file.state = fold(file.state, parsed)
    }
    return file.state
  })
  return (path: string) => lock.withPermit(read(path))
}
