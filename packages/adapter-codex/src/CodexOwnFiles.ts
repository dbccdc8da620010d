import { endsOf, makeOwnFiles, type OwnFile } from "@rejoin/agent-kit/OwnFiles"
import { isMarked } from "@rejoin/agent-kit/OwnDatabase"
import { ProviderSessionId } from "@rejoin/contracts/Ids"
import { Timestamp } from "@rejoin/contracts/Time"
import type { OwnSession } from "@rejoin/core/providers/OwnSessions"
import { DateTime, Option, Schema } from "effect"
import { readdir, stat } from "node:fs/promises"

const Meta = Schema.Struct({
  type: Schema.Literal("session_meta"),
  payload: Schema.Struct({
    id: Schema.String,
    timestamp: Schema.String,
    cwd: Schema.String,
    /** A text of its own commands, an object of a sub-agent. */
    source: Schema.optional(Schema.Unknown),
    thread_source: Schema.optional(Schema.NullOr(Schema.String)),
    forked_from_id: Schema.optional(Schema.NullOr(Schema.String))
  })
})
const Said = Schema.Struct({
  payload: Schema.Struct({
    type: Schema.Literal("item_completed"),
    item: Schema.Struct({
      type: Schema.Literal("UserMessage"),
      content: Schema.Array(Schema.Struct({ text: Schema.optional(Schema.NullOr(Schema.String)) }))
    })
  })
})
const Moved = Schema.Struct({
  type: Schema.Literal("turn_context"),
  payload: Schema.Struct({ cwd: Schema.String })
})
const decodeMeta = Schema.decodeUnknownOption(Meta)
const isSaid = Schema.is(Said)
const isMoved = Schema.is(Moved)

const archive = "archived_sessions"
const name = /^rollout-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-([0-9a-f-]{36})(?:_[0-9a-f-]{36})?\.jsonl$/
const timeOf = (millis: number) => Timestamp.make(DateTime.formatIso(DateTime.makeUnsafe(millis)))

/** All rollouts of a directory that are not packed. */
const rolloutsIn = async (root: string): Promise<ReadonlyArray<OwnFile>> => {
  const names = await readdir(root, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return []
    throw cause
  })
  const found = names.map(async (path): Promise<ReadonlyArray<OwnFile>> => {
    const id = name.exec(path.slice(path.lastIndexOf("/") + 1))?.[1]
    if (id === undefined) return []
    // One that leads nowhere is counted when it is its turn.
    const { mtimeMs, size } = await stat(`${root}/${path}`).catch(() => ({ mtimeMs: 0, size: 0 }))
    return [{ id, path: `${root}/${path}`, modified: Math.floor(mtimeMs), size }]
  })
  return (await Promise.all(found)).flat()
}

const filesOf = async (home: string) => [
  ...(await rolloutsIn(`${home}/sessions`)),
  ...(await rolloutsIn(`${home}/${archive}`))
]

const sessionOf = async (file: OwnFile): Promise<OwnSession | null> => {
  const { head, tail } = await endsOf(file, (head) => head.some(isSaid))
  const meta = Option.getOrUndefined(decodeMeta(head[0]))?.payload
  if (meta === undefined) throw new Error("it is no rollout")
  const said = head.find(isSaid)?.payload.item.content.find(({ text }) => text != null)?.text
  // What a fork goes on from is in another file. Where nothing was said, and in a sub-agent's, a person is not.
  if (said === undefined && meta.forked_from_id == null) return null
  if (typeof meta.source === "object" && meta.source !== null) return null
  return {
    providerSessionId: ProviderSessionId.make(meta.id),
    title: (said ?? "").replace(/\s+/g, " ").slice(0, 200),
    cwd: tail.findLast(isMoved)?.payload.cwd ?? meta.cwd,
    ours: isMarked(meta.thread_source ?? ""),
    ...(file.path.includes(`/${archive}/`) && { archived: true }),
    createdAt: Timestamp.make(meta.timestamp),
    updatedAt: timeOf(file.modified)
  }
}

/** Codex's threads by their files, for where its index is not there or cannot be read. */
export const codexFiles = (provider: string, home: string) =>
  makeOwnFiles(provider, () => filesOf(home), sessionOf)
