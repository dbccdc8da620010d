import type { StoreFailed } from "@rejoin/contracts/Errors"
import { Item } from "@rejoin/contracts/Item"
import { spaced, type Term, textOf } from "@rejoin/core/search/SearchText"
import { ThreadRecord } from "@rejoin/core/store/Records"
import type { SearchStore } from "@rejoin/core/store/SearchStore"
import { Effect, Option } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { document } from "./Rows.ts"

const items = document(Item, "item")
const threads = document(ThreadRecord, "thread")

/** Of so many of the newest that fit, the best come first: to rank all of them would cost what the history is long. */
const ranked = 1000

/** How many are filled in at once. */
const atOnce = 200

interface Within {
  readonly sql: SqlClient.SqlClient
  readonly failing: <A, E>(
    effect: Effect.Effect<A, E>
  ) => Effect.Effect<A, Exclude<E, SqlError.SqlError> | StoreFailed>
  readonly together: <A, E>(
    body: Effect.Effect<A, E>
  ) => Effect.Effect<A, Exclude<E, SqlError.SqlError> | StoreFailed>
}

interface FoundRow {
  readonly item_json: string
  readonly thread_json: string
}

const matchOf = (terms: ReadonlyArray<Term>): string =>
  terms
    .map(({ prefix, words }) => `"${spaced(words).replaceAll('"', '""')}"${prefix ? "*" : ""}`)
    .join(" AND ")

/** Writes down where the words of an item are, once it has all of them. Within the transaction that writes the item. */
export const indexing = (sql: SqlClient.SqlClient) => (threadId: string, item: Item) =>
  item.status === "started"
    ? Effect.succeed([])
    : sql`INSERT OR REPLACE INTO item_text (rowid, text)
        SELECT ordinal, ${spaced(textOf(item))} FROM item WHERE thread_id = ${threadId} AND id = ${item.id}`

export const makeSearchStore = ({ failing, sql, together }: Within): SearchStore => ({
  find: Effect.fnUntraced(function* (terms, { limit, project, provider, skip, thread }) {
    if (terms.length === 0) return []
    const of = [
      ...(project === undefined ? [] : [sql`thread.project = ${project}`]),
      ...(thread === undefined ? [] : [sql`item.thread_id = ${thread}`]),
      ...(provider === undefined ? [] : [sql`json_extract(thread.record_json, '$.provider') = ${provider}`])
    ]
    const where = of.length === 0 ? sql`` : sql`AND ${sql.and(of)}`
    // Pages within a thousand are of one ranking.
    const block = Math.floor(skip / ranked) * ranked
    const rows = yield* failing(
      sql<FoundRow>`SELECT item_json, thread_json FROM (
        SELECT item.record_json AS item_json, thread.record_json AS thread_json, bm25(item_text) AS score
          FROM item_text JOIN item ON item.ordinal = item_text.rowid JOIN thread ON thread.id = item.thread_id
          WHERE item_text MATCH ${matchOf(terms)} ${where}
          ORDER BY item_text.rowid DESC LIMIT ${ranked} OFFSET ${block}
      ) ORDER BY score LIMIT ${limit} OFFSET ${skip - block}`
    )
    const found = yield* Effect.forEach(rows, ({ item_json, thread_json }) =>
      Effect.all({
        item: items.one([{ record_json: item_json }]),
        thread: threads.one([{ record_json: thread_json }])
      }).pipe(
        // One row that cannot be read does not hide the others (E12).
        Effect.map(({ item, thread }) => Option.all({ item, thread })),
        Effect.orElseSucceed(() => Option.none())
      )
    )
    return found.flatMap(Option.toArray)
  }),
  fill: together(
    Effect.gen(function* () {
      const [progress] = yield* sql<{ before: number }>`SELECT before FROM search_fill`
      if (progress === undefined) return false
      const rows = yield* sql<{ ordinal: number; record_json: string }>`
        SELECT ordinal, record_json FROM item WHERE ordinal < ${progress.before} ORDER BY ordinal DESC LIMIT ${atOnce}`
      for (const row of rows) {
        const item = yield* Effect.orElseSucceed(items.one([row]), () => Option.none())
        if (Option.isNone(item) || item.value.status === "started") continue
        yield* sql`INSERT OR REPLACE INTO item_text (rowid, text) VALUES (${row.ordinal}, ${spaced(textOf(item.value))})`
      }
      const last = rows.at(-1)?.ordinal
      if (last === undefined) yield* sql`DELETE FROM search_fill`
      else yield* sql`UPDATE search_fill SET before = ${last}`
      return last !== undefined
    })
  )
})
