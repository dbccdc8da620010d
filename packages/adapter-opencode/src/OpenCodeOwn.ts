import { heldIn } from "@rejoin/agent-kit/DataUrl"
import { isMarked, readable, rowsOf, textOf, unmarked } from "@rejoin/agent-kit/OwnDatabase"
import { ItemId, MessageId, ProviderSessionId, type StoreId } from "@rejoin/contracts/Ids"
import { Timestamp } from "@rejoin/contracts/Time"
import type { Attachment } from "@rejoin/contracts/Turn"
import type { AdapterItem } from "@rejoin/core/providers/AdapterEvent"
import type { OwnSession, OwnSessions, Past } from "@rejoin/core/providers/OwnSessions"
import type { AdapterFailure } from "@rejoin/core/providers/ResumeCursor"
import { DateTime, Effect, Option, Result, Schema } from "effect"
import { cursorOf, type OpenCodeCursor } from "./OpenCodeCursor.ts"
import { itemOf } from "./OpenCodeItems.ts"
import { ToolPart } from "./OpenCodeSchema.ts"

const timeOf = (millis: unknown) => Timestamp.make(DateTime.formatIso(DateTime.makeUnsafe(Number(millis))))

const sessionOf = (row: Readonly<Record<string, unknown>>): OwnSession => ({
  providerSessionId: ProviderSessionId.make(textOf(row["id"])),
  title: unmarked(textOf(row["title"])),
  cwd: textOf(row["directory"]),
  ours: isMarked(textOf(row["title"])),
  ...(row["time_archived"] != null && { archived: true }),
  createdAt: timeOf(row["time_created"]),
  updatedAt: timeOf(row["time_updated"])
})

const Info = Schema.Struct({
  role: Schema.String,
  path: Schema.optional(Schema.Struct({ cwd: Schema.String })),
  /** Why the model stopped; a call of a tool is no end of the answer. */
  finish: Schema.optional(Schema.String),
  error: Schema.optional(Schema.Unknown)
})
const Text = Schema.Struct({
  type: Schema.Literals(["text", "reasoning"]),
  text: Schema.String,
  synthetic: Schema.optional(Schema.Boolean)
})
const File = Schema.Struct({
  type: Schema.Literal("file"),
  mime: Schema.String,
  filename: Schema.optional(Schema.String),
  url: Schema.String
})
const Revert = Schema.Struct({ messageID: Schema.String })
const isFile = Schema.is(File)
const isCompaction = Schema.is(Schema.Struct({ type: Schema.Literal("compaction") }))
const isReverted = Schema.is(Revert)
const decodeInfo = Schema.decodeUnknownOption(Schema.fromJsonString(Info))
const isText = Schema.is(Text)
const decodeTool = Schema.decodeUnknownOption(ToolPart)
const parse = (text: string): unknown => Result.getOrUndefined(Result.try(() => JSON.parse(text) as unknown))

/** A part of an answer as an item; undefined for what is none of the conversation's. */
const partOf = (
  {
    id,
    messageID,
    sessionID
  }: { readonly id: string; readonly messageID: string; readonly sessionID: string },
  json: string,
  cwd: string | undefined
): AdapterItem | undefined => {
  const part = parse(json)
  const base = { id: ItemId.make(id), status: "completed" as const }
  if (isText(part)) {
    if (part.text === "") return undefined
    return { ...base, kind: part.type === "text" ? "assistant-message" : "reasoning", text: part.text }
  }
  const tool = Option.getOrUndefined(decodeTool({ ...(part as object), id, messageID, sessionID }))
  return tool && itemOf(tool, { cwd, diff: undefined })
}

type PastSoFar = { -readonly [Key in keyof Past]: Past[Key] } & { items: Array<AdapterItem> }

/** What a file of a message holds; nothing of one that is named by its place alone. */
const attachmentOf = ({ filename = "file", mime, url }: typeof File.Type): ReadonlyArray<Attachment> => {
  const data = heldIn(url)?.data
  return data === undefined ? [] : [{ name: filename, mediaType: mime, data }]
}

/** What a session holds, from OpenCode's own database: `message` and `part` have as JSON what its interface tells. */
const historyOf = Effect.fnUntraced(function* (provider: string, database: string, id: string) {
  const rows = yield* rowsOf(
    provider,
    database,
    `SELECT message.id AS message, message.data AS info, message.time_created AS at, part.id AS part, part.data AS data
      FROM message LEFT JOIN part ON part.message_id = message.id
      WHERE message.session_id = ? ORDER BY message.time_created, message.id, part.id`,
    id
  )
  const [session] = yield* rowsOf(provider, database, "SELECT * FROM session WHERE id = ?", id)
  const reverted = parse(textOf(session?.["revert"]))
  const past: Array<PastSoFar> = []
  for (const row of rows) {
    const info = Option.getOrUndefined(decodeInfo(row["info"]))
    const message = textOf(row["message"])
    // What was undone stands there until something else is said.
    if (isReverted(reverted) && reverted.messageID === message) break
    if (info?.role === "user") {
      const said = parse(textOf(row["data"]))
      const typed = isText(said) && said.synthetic !== true ? said.text : ""
      // Its answer is the summary that stands for all before it.
      const text = isCompaction(said) ? "/compact" : typed
      const attachments = isFile(said) ? attachmentOf(said) : []
      const last = past.at(-1)
      if (last?.messageId === message) {
        last.input = [last.input, text].filter((part) => part !== "").join("\n")
        last.attachments = [...(last.attachments ?? []), ...attachments]
      } else {
        const messageId = MessageId.make(message)
        past.push({ messageId, input: text, attachments, at: timeOf(row["at"]), items: [] })
      }
      continue
    }
    const answered = past.at(-1)
    if (answered !== undefined) answered.ended = info?.finish === "stop" && info.error === undefined
    // An answer that was cut off at once has no part.
    if (textOf(row["part"]) === "") continue
    const of = { id: textOf(row["part"]), messageID: message, sessionID: id }
    const item = partOf(of, textOf(row["data"]), info?.path?.cwd)
    if (item !== undefined) past.at(-1)?.items.push(item)
  }
  return past
})

/** OpenCode's sessions, as its database has them. */
export const makeOwn = (
  provider: string,
  database: string,
  storeId: Effect.Effect<StoreId, AdapterFailure>
): OwnSessions<OpenCodeCursor> => {
  const one = (id: string) =>
    rowsOf(provider, database, "SELECT * FROM session WHERE id = ? AND parent_id IS NULL", id)
  return {
    list: Effect.fn("OpenCode.own")(function* ({ after, cwd, limit, q }) {
      const [last] = after === undefined ? [] : yield* one(after)
      const rows = yield* rowsOf(
        provider,
        database,
        `SELECT * FROM session WHERE parent_id IS NULL
          AND (? IS NULL OR directory = ?) AND (? IS NULL OR title LIKE ? ESCAPE '\\')
          AND (? IS NULL OR time_updated < ? OR (time_updated = ? AND id < ?))
          ORDER BY time_updated DESC, id DESC LIMIT ?`,
        cwd ?? null,
        cwd ?? null,
        q ?? null,
        `%${(q ?? "").replace(/[\\%_]/g, "\\$&")}%`,
        ...(last === undefined
          ? [null, null, null, null]
          : [
              Number(last["time_updated"]),
              Number(last["time_updated"]),
              Number(last["time_updated"]),
              textOf(last["id"])
            ]),
        limit
      )
      return { ...readable(rows, sessionOf), storeId: yield* storeId }
    }),
    find: Effect.fn("OpenCode.find")(function* (id) {
      const [row] = yield* one(id)
      if (row === undefined) return Option.none()
      return Option.some({ session: sessionOf(row), cursor: cursorOf(id, yield* storeId) })
    }),
    history: ({ providerSessionId }) => historyOf(provider, database, providerSessionId)
  }
}
