import { ProviderFailed } from "@rejoin/contracts/Errors"
import { Effect, Option, Predicate } from "effect"
import { type FileHandle, mkdir, open, readdir, readFile, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { fileOf } from "./OllamaCursor.ts"
import { encodeLines, type Head, type Line, type OllamaRecord, recordOf } from "./OllamaRecord.ts"

/** What a file is now: another one, or a longer one, has another stamp. */
export type Stamp = string

const codeOf = (cause: unknown) =>
  Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) ? cause.code : undefined

/** Where the last whole line of a file ends. */
const endOfLines = async (handle: FileHandle, size: number): Promise<number> => {
  const block = Buffer.alloc(64 * 1024)
  for (let end = size; end > 0;) {
    const length = Math.min(block.length, end)
    await handle.read(block, 0, length, end - length)
    const at = block.subarray(0, length).lastIndexOf(10)
    if (at >= 0) return end - length + at + 1
    end -= length
  }
  return 0
}

/** The records of one instance, in a directory of its own. What is written is on the disk when it is said to be. */
export const makeFiles = (provider: string, directory: string) => {
  const failed = (cause: unknown) =>
    new ProviderFailed({
      provider,
      message: `The record of the conversation cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`
    })
  const pathOf = (id: string) => join(directory, fileOf(id))
  const attempt = <A>(body: () => Promise<A>) => Effect.tryPromise({ try: body, catch: failed })

  /** Undefined where there is none; none where it is no record. */
  const read = (id: string): Effect.Effect<Option.Option<OllamaRecord> | undefined, ProviderFailed> =>
    attempt(() =>
      readFile(pathOf(id), "utf8").then(recordOf, (cause: unknown) => {
        if (codeOf(cause) === "ENOENT") return undefined
        throw cause
      })
    )

  const stamp = (id: string): Effect.Effect<Stamp | undefined> =>
    Effect.promise(() =>
      stat(pathOf(id)).then(
        ({ ino, mtimeMs, size }) => `${ino} ${size} ${mtimeMs}`,
        () => undefined
      )
    )

  /** A new one: fails where there is one of this id. */
  const create = (head: Head, lines: ReadonlyArray<Line> = []) =>
    attempt(async () => {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const handle = await open(pathOf(head.id), "wx", 0o600)
      try {
        await handle.writeFile(encodeLines([head, ...lines]))
        await handle.datasync()
      } finally {
        await handle.close()
      }
    })

  /** Adds to one that is there, after its last whole line. */
  const append = (id: string, line: Line) =>
    attempt(async () => {
      // Not "a": what a crash left of a line is written over.
      const handle = await open(pathOf(id), "r+")
      try {
        const { size } = await handle.stat()
        const end = await endOfLines(handle, size)
        if (end < size) await handle.truncate(end)
        const bytes = Buffer.from(encodeLines([line]))
        try {
          for (let at = 0; at < bytes.length;)
            at += (await handle.write(bytes, at, bytes.length - at, end + at)).bytesWritten
          await handle.datasync()
        } catch (cause) {
          // A full disk takes the beginning of it.
          await handle.truncate(end).catch(() => undefined)
          throw cause
        }
      } finally {
        await handle.close()
      }
    })

  const remove = (id: string) => attempt(() => rm(pathOf(id), { force: true }))

  /** Those whose title has this in it. */
  const titled = (mark: string) =>
    attempt(async () => {
      const names = await readdir(directory).catch(() => [])
      const found: Array<string> = []
      for (const name of names.filter((name) => name.endsWith(".jsonl"))) {
        const handle = await open(join(directory, name), "r")
        try {
          const { buffer, bytesRead } = await handle.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, 0)
          const first = buffer.toString("utf8", 0, bytesRead).split("\n", 1)[0] ?? ""
          if (first.includes(JSON.stringify(mark).slice(1, -1))) found.push(name.slice(0, -".jsonl".length))
        } finally {
          await handle.close()
        }
      }
      return found
    })

  return { append, create, pathOf, read, remove, stamp, titled }
}

export type OllamaFiles = ReturnType<typeof makeFiles>
