import { Effect, type FileSystem, Option, type PlatformError, Stream } from "effect"

/** Where a file ends, and which file it is. */
export interface FileEnd {
  readonly inode: number
  readonly size: number
}

export const endOf = (
  fs: FileSystem.FileSystem,
  path: string
): Effect.Effect<FileEnd, PlatformError.PlatformError> =>
  Effect.map(fs.stat(path), ({ ino, size }) => ({
    inode: Number(Option.getOrElse(ino, () => 0)),
    size: Number(size)
  }))

/** A file that grows by lines, read on from where it was left: that costs what is new, however long it is. */
export interface FileTail {
  /** The lines that were completed since; none where it is another file by now, or was cut. */
  readonly next: Effect.Effect<Option.Option<ReadonlyArray<string>>, PlatformError.PlatformError>
}

/** Of what comes after `from`, the end of a line. */
export const makeFileTail = (fs: FileSystem.FileSystem, path: string, from: FileEnd): FileTail => {
  let reached = from.size
  return {
    next: Effect.gen(function* () {
      const { inode, size } = yield* endOf(fs, path)
      if (inode !== from.inode || size < reached) return Option.none()
      if (size === reached) return Option.some([])
      const chunks = yield* Stream.runCollect(
        fs.stream(path, { offset: reached, bytesToRead: size - reached })
      )
      const bytes = Buffer.concat(chunks)
      // What is written of the next line may end in the middle of a character.
      const end = bytes.lastIndexOf(10) + 1
      reached += end
      return Option.some(
        bytes
          .toString("utf8", 0, end)
          .split("\n")
          .filter((line) => line !== "")
      )
    })
  }
}
