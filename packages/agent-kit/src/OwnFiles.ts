import { ProviderFailed } from "@rejoin/contracts/Errors"
import type { OwnPage, OwnQuery, OwnSession } from "@rejoin/core/providers/OwnSessions"
import { Effect, Predicate, Result } from "effect"
import { open } from "node:fs/promises"

/** A file in which an agent keeps a session. */
export interface OwnFile {
  readonly id: string
  readonly path: string
  /** In milliseconds since 1970. */
  readonly modified: number
  readonly size: number
}

/** How much of a file's beginning and of its end is read, at first, and where that does not tell. */
const ends = 64 * 1024
const most = 2 * 1024 * 1024

type Line = Readonly<Record<string, unknown>>

const linesOf = (text: string): ReadonlyArray<Line> =>
  text.split("\n").flatMap((line) => {
    const json = Result.getOrUndefined(Result.try(() => JSON.parse(line) as unknown))
    return Predicate.isObject(json) ? [json] : []
  })

/**
 * The lines with which a file of them begins, and with which it ends. More is read of the beginning where `tells` says that
 * it is not enough: a pasted text can be long. Fails where no line can be read.
 */
export const endsOf = async (
  { path, size }: OwnFile,
  tells: (head: ReadonlyArray<Line>) => boolean
): Promise<{ readonly head: ReadonlyArray<Line>; readonly tail: ReadonlyArray<Line> }> => {
  const handle = await open(path, "r")
  try {
    const read = async (at: number, length: number) => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at)
      return linesOf(buffer.toString("utf8", 0, bytesRead))
    }
    let head = await read(0, Math.min(size, ends))
    if (size > ends && !tells(head)) head = await read(0, Math.min(size, most))
    if (head.length === 0) throw new Error("no line of it can be read")
    return { head, tail: size <= ends ? head : await read(size - ends, ends) }
  } finally {
    await handle.close()
  }
}

/**
 * The sessions of an agent that keeps each in a file, the one that was written last first. What was read of a file is known
 * until it changes; `sessionOf` is null where nothing of a person's is in it, and fails where it cannot be read.
 */
export const makeOwnFiles = (
  provider: string,
  filesOf: () => Promise<ReadonlyArray<OwnFile>>,
  sessionOf: (file: OwnFile) => Promise<OwnSession | null>
) => {
  const known = new Map<string, { readonly modified: number; readonly session: OwnSession | null }>()
  const told = async (file: OwnFile) => {
    const before = known.get(file.path)
    if (before?.modified === file.modified) return before.session
    const session = await sessionOf(file)
    known.set(file.path, { modified: file.modified, session })
    return session
  }
  const reading = <A>(body: () => Promise<A>) =>
    Effect.tryPromise({
      try: body,
      catch: (error) =>
        new ProviderFailed({ provider, message: `Its own files cannot be read: ${String(error)}` })
    })
  const sorted = async () =>
    (await filesOf()).toSorted((a, b) => b.modified - a.modified || (a.id < b.id ? 1 : -1))
  return {
    reading,
    file: (id: string) => sorted().then((files) => files.find((file) => file.id === id)),
    find: (id: string) =>
      reading(async () => {
        const file = (await sorted()).find((file) => file.id === id)
        return file === undefined ? null : await told(file)
      }),
    list: ({ after, cwd, limit, q }: OwnQuery) =>
      reading(async (): Promise<Omit<OwnPage, "storeId">> => {
        const files = await sorted()
        const start = after === undefined ? 0 : files.findIndex(({ id }) => id === after) + 1
        const items = new Map<string, OwnSession>()
        let unreadable = 0
        for (const file of files.slice(start)) {
          if (items.size === limit) break
          const session = await told(file).catch(() => {
            unreadable++
            return null
          })
          // One that goes on in another file is where it was written last.
          if (session === null || items.has(file.id)) continue
          if (cwd !== undefined && session.cwd !== cwd) continue
          if (q !== undefined && !session.title.toLowerCase().includes(q.toLowerCase())) continue
          items.set(file.id, session)
        }
        return { items: [...items.values()], unreadable }
      })
  }
}
