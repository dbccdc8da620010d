import { isMarked, readable, rowsOf, textOf } from "@rejoin/agent-kit/OwnDatabase"
import { ItemId, MessageId, ProviderSessionId, type StoreId } from "@rejoin/contracts/Ids"
import { Timestamp } from "@rejoin/contracts/Time"
import type { AdapterItem } from "@rejoin/core/providers/AdapterEvent"
import type { OwnQuery, OwnSession, OwnSessions, Past } from "@rejoin/core/providers/OwnSessions"
import type { AdapterFailure } from "@rejoin/core/providers/ResumeCursor"
import { DateTime, Effect, type FileSystem, Option, Schema, type Scope } from "effect"
import { type CodexCursor, cursorOf } from "./CodexCursor.ts"
import { databaseOf } from "./CodexIndex.ts"
import { itemOf } from "./CodexItems.ts"
import { codexFiles } from "./CodexOwnFiles.ts"
import { picturesOf } from "./CodexPictures.ts"
import type { CodexRollouts } from "./CodexRollouts.ts"
import { Item } from "./CodexSchema.ts"
import type { CodexServer } from "./CodexServer.ts"
import { writersOf } from "./CodexWriters.ts"

const timeOf = (millis: unknown) => Timestamp.make(DateTime.formatIso(DateTime.makeUnsafe(Number(millis))))

const sessionOf = (row: Readonly<Record<string, unknown>>): OwnSession => ({
  providerSessionId: ProviderSessionId.make(textOf(row["id"])),
  title: textOf(row["name"]) || textOf(row["title"]) || textOf(row["first_user_message"]),
  cwd: textOf(row["cwd"]),
  ours: isMarked(textOf(row["thread_source"])),
  ...(row["archived"] === 1 && { archived: true }),
  createdAt: timeOf(row["created_at_ms"] ?? Number(row["created_at"]) * 1000),
  updatedAt: timeOf(row["updated_at_ms"] ?? Number(row["updated_at"]) * 1000)
})

/** As `thread/read` tells it: each item in the shape of its notification. */
const Read = Schema.Struct({
  thread: Schema.Struct({
    turns: Schema.Array(
      Schema.Struct({
        id: Schema.String,
        status: Schema.optional(Schema.String),
        startedAt: Schema.optional(Schema.NullOr(Schema.Finite)),
        items: Schema.Array(Schema.Unknown)
      })
    )
  })
})
const UserMessage = Schema.Struct({
  type: Schema.Literal("userMessage"),
  id: Schema.String,
  clientId: Schema.optional(Schema.NullOr(Schema.String)),
  content: Schema.Array(
    Schema.Struct({
      type: Schema.String,
      text: Schema.optional(Schema.NullOr(Schema.String)),
      /** Of an `image`. */
      url: Schema.optional(Schema.NullOr(Schema.String)),
      /** Of a `localImage`: the file that was named, as it is now. */
      path: Schema.optional(Schema.NullOr(Schema.String))
    })
  )
})
const isUserMessage = Schema.is(UserMessage)
const decodeItem = Schema.decodeUnknownOption(Item)

const pastOf = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  { thread }: typeof Read.Type,
  since: Timestamp
) {
  const past: Array<Past & { items: Array<AdapterItem>; ended?: boolean }> = []
  for (const { id, items, startedAt, status } of thread.turns) {
    const at = startedAt == null ? since : timeOf(startedAt * 1000)
    for (const item of items) {
      if (isUserMessage(item)) {
        const input = item.content
          .flatMap(({ text }) => (text == null || text === "" ? [] : [text]))
          .join("\n")
        const messageId = MessageId.make(item.clientId ?? item.id)
        past.push({ messageId, input, attachments: yield* picturesOf(fs, item.content), at, items: [] })
        continue
      }
      const known = Option.getOrUndefined(decodeItem(item))
      const made = known && itemOf(known, id)
      if (made !== undefined) past.at(-1)?.items.push({ ...made, id: ItemId.make(made.id) })
    }
    const last = past.at(-1)
    if (last !== undefined) last.ended = status === "completed"
  }
  return past
})

interface Needs {
  readonly provider: string
  readonly fs: FileSystem.FileSystem
  readonly home: string
  readonly rollouts: CodexRollouts
  readonly storeId: Effect.Effect<StoreId>
  readonly server: Effect.Effect<CodexServer, AdapterFailure, Scope.Scope>
}

/** Codex's threads, as its index has them; by their files, where that is not there or cannot be read. */
export const makeOwn = ({
  fs,
  home,
  provider,
  rollouts,
  server,
  storeId
}: Needs): OwnSessions<CodexCursor> => {
  const files = codexFiles(provider, home)
  const database = Effect.orElseSucceed(databaseOf(fs, home), () => undefined)
  // Those of sub-agents have their source as JSON; one in which nothing was said is none yet.
  const mine = "first_user_message <> '' AND source NOT LIKE '{%' AND agent_role IS NULL"
  const one = (id: string) =>
    Effect.flatMap(database, (path) =>
      rowsOf(provider, path, `SELECT * FROM threads WHERE id = ? AND ${mine}`, id)
    )
  const indexed = Effect.fnUntraced(function* ({ after, cwd, limit, q }: OwnQuery) {
    const [last] = after === undefined ? [] : yield* one(after)
    const rows = yield* rowsOf(
      provider,
      yield* database,
      `SELECT * FROM threads WHERE ${mine}
          AND (? IS NULL OR cwd = ?) AND (? IS NULL OR title LIKE ? ESCAPE '\\' OR first_user_message LIKE ? ESCAPE '\\')
          AND (? IS NULL OR updated_at < ? OR (updated_at = ? AND id < ?))
          ORDER BY updated_at DESC, id DESC LIMIT ?`,
      cwd ?? null,
      cwd ?? null,
      q ?? null,
      `%${(q ?? "").replace(/[\\%_]/g, "\\$&")}%`,
      `%${(q ?? "").replace(/[\\%_]/g, "\\$&")}%`,
      ...(last === undefined
        ? [null, null, null, null]
        : [
            Number(last["updated_at"]),
            Number(last["updated_at"]),
            Number(last["updated_at"]),
            textOf(last["id"])
          ]),
      limit
    )
    // Its index may tell of what is gone.
    const there = rows.filter((row) => textOf(row["rollout_path"]) !== "")
    const items = yield* Effect.filter(there, (row) =>
      Effect.orElseSucceed(fs.exists(textOf(row["rollout_path"])), () => false)
    )
    const told = readable(items, sessionOf)
    return { items: told.items, unreadable: told.unreadable + rows.length - items.length }
  })
  const byFiles = Effect.fnUntraced(function* (id: string) {
    const session = yield* files.find(id)
    const file = yield* Effect.promise(() => files.file(id))
    return session === null || file === undefined ? undefined : { session, path: file.path }
  })
  const byIndex = (id: string) =>
    Effect.map(one(id), ([row]) =>
      row === undefined ? undefined : { session: sessionOf(row), path: textOf(row["rollout_path"]) }
    )
  return {
    list: Effect.fn("Codex.own")(function* (query) {
      const path = yield* database
      const page =
        path === undefined
          ? yield* files.list(query)
          : yield* Effect.catch(indexed(query), () => files.list(query))
      return { ...page, storeId: yield* storeId }
    }),
    find: Effect.fn("Codex.find")(function* (id) {
      const found = (yield* Effect.orElseSucceed(byIndex(id), () => undefined)) ?? (yield* byFiles(id))
      if (found === undefined) return Option.none()
      const { path, session } = found
      const conversation = yield* rollouts.conversation(path).pipe(Effect.orElseSucceed(() => Option.none()))
      const lineage = Option.match(conversation, { onNone: () => [], onSome: ({ lineage }) => lineage })
      const parents = lineage.map((parent) => ProviderSessionId.make(parent))
      return Option.some({ session, cursor: cursorOf(id, yield* storeId, parents) })
    }),
    held: (ids) =>
      Effect.map(writersOf(fs, home, ids), (writers) =>
        writers === undefined ? undefined : new Set(writers.keys())
      ),
    history: Effect.fn("Codex.history")(function* ({ providerSessionId }) {
      const [row] = yield* Effect.orElseSucceed(one(providerSessionId), () => [])
      const { client } = yield* server
      const read = yield* client.call(Read, "thread/read", {
        threadId: providerSessionId,
        includeTurns: true
      })
      return yield* pastOf(fs, read, row === undefined ? timeOf(0) : sessionOf(row).createdAt)
    }, Effect.scoped)
  }
}
