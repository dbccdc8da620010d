import type { Piece, TranscriptFiles } from "@rejoin/core/store/TranscriptStore"
import { Effect, Result, Schema } from "effect"
import { createHash } from "node:crypto"
import { link, mkdir, open, readFile, realpath, rm, stat, truncate } from "node:fs/promises"
import { dirname, join, normalize } from "node:path"

/** How much of a file's end tells whether what was read of it is still there. */
const tailBytes = 4096

/** A copy is taken in pieces of this size at most. */
const pieceBytes = 1024 * 1024

const Position = Schema.Record(Schema.String, Schema.Struct({ size: Schema.Int, tail: Schema.String }))
type Position = typeof Position.Type
const isPosition = Schema.is(Position)

/** Whether a position of an earlier call has this file. */
export const isCopied = (position: unknown, file: string) => isPosition(position) && file in position

const hashOfTail = async (path: string, size: number): Promise<string> => {
  const file = await open(path, "r")
  try {
    const length = Math.min(size, tailBytes)
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length)
    return createHash("sha256").update(buffer).digest("hex")
  } finally {
    await file.close()
  }
}

/** What is no file of lines is written once, or anew. */
const isOfLines = (file: string) => file.endsWith(".jsonl")

/** From an offset to the end of the last whole line. */
const piecesFrom = async (path: string, file: string, from: number): Promise<Array<Piece>> => {
  const handle = await open(path, "r")
  const pieces: Array<Piece> = []
  try {
    let at = from
    let rest = Buffer.alloc(0)
    for (let left = (await handle.stat()).size - from; left > 0;) {
      const length = Math.min(left, pieceBytes)
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, at + rest.length)
      if (bytesRead === 0) break
      left -= bytesRead
      const bytes = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
      const end = bytes.lastIndexOf(10) + 1
      if (end > 0) pieces.push({ file, from: at, data: Uint8Array.from(bytes.subarray(0, end)) })
      at += end
      rest = bytes.subarray(end)
    }
    return pieces
  } finally {
    await handle.close()
  }
}

/**
 * What is new in files that an agent keeps, most of them of lines that it appends to, since a position of an earlier call. A file that was cut,
 * rewritten or compacted is noticed by the hash of its end, where it was read to: then all is read anew. Costs what is
 * new. `files` are relative to `root`. Fails where more than `atMost` bytes are new, and reads none of them.
 */
export const newRecords = (
  root: string,
  files: ReadonlyArray<string>,
  before: unknown,
  atMost = Number.POSITIVE_INFINITY
) =>
  Effect.tryPromise({
    try: async () => {
      const known: Position = isPosition(before) ? before : {}
      const isSame = async (file: string) => {
        const was = known[file]
        if (was === undefined || !isOfLines(file)) return true
        const found = await stat(join(root, file))
        return found.size >= was.size && (await hashOfTail(join(root, file), was.size)) === was.tail
      }
      const anew = !isPosition(before) || !(await Promise.all(files.map(isSame))).every(Boolean)
      // Looked at before it is read: it would all be in memory.
      const sizes = await Promise.all(files.map(async (file) => (await stat(join(root, file))).size))
      const fresh = files.reduce(
        (sum, file, i) => sum + (sizes[i] ?? 0) - (anew ? 0 : (known[file]?.size ?? 0)),
        0
      )
      if (fresh > atMost) throw new Error(`there is more of it (${fresh} bytes) than may be copied`)
      const pieces: Array<Piece> = []
      const position: Record<string, { readonly size: number; readonly tail: string }> = anew
        ? {}
        : { ...known }
      for (const file of files) {
        const path = join(root, file)
        if (!isOfLines(file)) {
          const data = Uint8Array.from(await readFile(path))
          const tail = createHash("sha256").update(data).digest("hex")
          if (!anew && known[file]?.tail === tail) continue
          pieces.push({ file, from: 0, data })
          position[file] = { size: data.length, tail }
          continue
        }
        const found = await piecesFrom(path, file, anew ? 0 : (known[file]?.size ?? 0))
        const last = found.at(-1)
        if (last === undefined) continue
        pieces.push(...found)
        const size = last.from + last.data.length
        position[file] = { size, tail: await hashOfTail(path, size) }
      }
      return { pieces, position, anew }
    },
    catch: (cause) => (cause instanceof Error ? cause.message : String(cause))
  })

/** Only names that lead to a place under the root, and are written as they lead there. */
const isInside = (file: string) =>
  file !== "" && !file.startsWith("/") && normalize(file) === file && !file.split("/").includes("..")

/** What a restore did to a file, to be taken back: a new one is removed, one that has grown is cut. */
export interface Written {
  readonly path: string
  /** How long it was; null where it was not there. */
  readonly before: number | null
}

/** A file that is there and is where ours begins, goes on as ours does; any other stays as it is (W6). */
const grow = async (path: string, data: Uint8Array): Promise<Written | undefined> => {
  const found = await readFile(path)
  if (found.length >= data.length || Buffer.compare(found, data.subarray(0, found.length)) !== 0) return
  const handle = await open(path, "a")
  try {
    await handle.writeFile(data.subarray(found.length))
    await handle.datasync()
  } finally {
    await handle.close()
  }
  return { path, before: found.length }
}

/**
 * Writes files of a copy where they were, and returns which of them it wrote: one that is there, and is not the beginning
 * of ours, stays as it is (W6). A new one is whole or not there at all, whatever happens on the way.
 */
export const writeRecords = (root: string, files: TranscriptFiles, isRecord: (file: string) => boolean) =>
  Effect.gen(function* () {
    const written: Array<Written> = []
    const strange = [...files.keys()].find((file) => !isInside(file) || !isRecord(file))
    if (strange !== undefined)
      return yield* Effect.fail(`a file of it is to be written elsewhere: ${strange}`)
    const all = Effect.tryPromise({
      try: async () => {
        await mkdir(root, { recursive: true, mode: 0o700 })
        const real = await realpath(root)
        for (const [file, data] of files) {
          const path = join(real, file)
          const directory = dirname(path)
          await mkdir(directory, { recursive: true, mode: 0o700 })
          // A link in between leads anywhere.
          if ((await realpath(directory)) !== directory) throw new Error(`${directory} is a link`)
          const draft = `${path}.rejoin-restore`
          await rm(draft, { force: true })
          const handle = await open(draft, "wx", 0o600)
          try {
            await handle.writeFile(data)
            await handle.datasync()
          } finally {
            await handle.close()
          }
          // Fails where something is there by now.
          const isNew = await link(draft, path).then(
            () => true,
            (cause: NodeJS.ErrnoException) => {
              if (cause.code === "EEXIST") return false
              throw cause
            }
          )
          await rm(draft, { force: true })
          const done = isNew ? { path, before: null } : await grow(path, data)
          if (done !== undefined) written.push(done)
        }
      },
      catch: (cause) => (cause instanceof Error ? cause.message : String(cause))
    })
    const done = yield* Effect.result(all)
    if (Result.isFailure(done)) {
      yield* removeRecords(written)
      return yield* Effect.fail(done.failure)
    }
    return written
  })

/** What was written is taken away again. */
export const removeRecords = (written: ReadonlyArray<Written>) =>
  Effect.promise(async () => {
    for (const { before, path } of written)
      await (before === null ? rm(path, { force: true }) : truncate(path, before)).catch(() => undefined)
  })
