import { endsOf, makeOwnFiles, type OwnFile } from "@rejoin/agent-kit/OwnFiles"
import { ProviderSessionId, type StoreId } from "@rejoin/contracts/Ids"
import { Timestamp } from "@rejoin/contracts/Time"
import type { OwnSession, OwnSessions } from "@rejoin/core/providers/OwnSessions"
import { DateTime, Effect, type FileSystem, Option, Predicate } from "effect"
import { readdir, readFile, stat } from "node:fs/promises"
import { type ClaudeCursor, cursorOf } from "./ClaudeCursor.ts"
import { historyOf } from "./ClaudeHistory.ts"
import { holdings } from "./ClaudeHolders.ts"

const timeOf = (millis: number) => Timestamp.make(DateTime.formatIso(DateTime.makeUnsafe(millis)))

/** A transcript's beginning tells who said what where, its end where it is now and what it is called. */
const sessionOf = async (file: OwnFile): Promise<OwnSession | null> => {
  const firstOf = (head: ReadonlyArray<unknown>) =>
    historyOf(file.path, head.map((line) => JSON.stringify(line)).join("\n"))[0]
  const { head, tail } = await endsOf(file, (head) => firstOf(head) !== undefined)
  const first = firstOf(head)
  // A session of a sub-agent's, or one in which nothing was said yet.
  if (head.some((line) => line["isSidechain"] === true && line["parentUuid"] === null)) return null
  const named = tail.findLast(
    ({ type }) => type === "custom-title" || type === "ai-title" || type === "summary"
  )
  const title = [
    named?.["customTitle"],
    named?.["aiTitle"],
    named?.["title"],
    named?.["summary"],
    first?.input
  ]
  const cwd = tail.findLast((line) => Predicate.isString(line["cwd"]))?.["cwd"]
  if (first === undefined) return null
  return {
    providerSessionId: ProviderSessionId.make(file.id),
    title: title.filter(Predicate.isString)[0]?.replace(/\s+/g, " ").slice(0, 200) ?? "",
    cwd: Predicate.isString(cwd) ? cwd : null,
    createdAt: first.at,
    updatedAt: timeOf(file.modified)
  }
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\.jsonl$/

/** All transcripts. Their content is not looked at. */
const filesOf = async (config: string): Promise<ReadonlyArray<OwnFile>> => {
  const projects = `${config}/projects`
  const slugs = await readdir(projects).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return []
    throw cause
  })
  const found: Array<OwnFile> = []
  for (const slug of slugs) {
    const names = await readdir(`${projects}/${slug}`).catch(() => [])
    const files = await Promise.all(
      names
        .filter((name) => uuid.test(name))
        .map(async (name) => {
          const path = `${projects}/${slug}/${name}`
          // One that is gone, or leads nowhere, is looked at when it is its turn, and is counted then.
          const { mtimeMs, size } = await stat(path).catch(() => ({ mtimeMs: 0, size: 0 }))
          return { id: name.slice(0, -6), path, modified: Math.floor(mtimeMs), size }
        })
    )
    found.push(...files)
  }
  return found
}

/** Claude's sessions, as its transcripts have them: it has no index. What was read of one is known until it changes. */
export const makeOwn = (
  fs: FileSystem.FileSystem,
  provider: string,
  config: string,
  storeId: Effect.Effect<StoreId>
): OwnSessions<ClaudeCursor> => {
  const files = makeOwnFiles(provider, () => filesOf(config), sessionOf)
  return {
    list: Effect.fn("Claude.own")(function* (query) {
      return { ...(yield* files.list(query)), storeId: yield* storeId }
    }),
    find: Effect.fn("Claude.find")(function* (id) {
      const session = yield* files.find(id)
      if (session === null) return Option.none()
      return Option.some({ session, cursor: cursorOf(id, yield* storeId) })
    }),
    held: () => Effect.map(holdings(fs, config), (found) => new Set(found.map(({ sessionId }) => sessionId))),
    history: ({ providerSessionId }) =>
      files.reading(async () => {
        const file = await files.file(providerSessionId)
        return file === undefined ? [] : historyOf(file.path, await readFile(file.path, "utf8"))
      })
  }
}
