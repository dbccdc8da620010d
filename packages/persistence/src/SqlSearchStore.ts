import type { StoreFailed } from "@rejoin/contracts/Errors"
import { Item } from "@rejoin/contracts/Item"
import { textOf } from "@rejoin/core/search/SearchText"
import type { SearchStore } from "@rejoin/core/store/SearchStore"
import { Effect, Option } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { columnId, document, threads } from "./Rows.ts"
import { searchIndexOf } from "./SearchIndex.ts"

const items = document(Item, "item")

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
  readonly last_seq: number
  readonly created_at: string
}

/** Writes down where the words of an item are, once it has all of them. Within the transaction that writes the item. */
export const indexing = (sql: SqlClient.SqlClient) => {
  const { write } = searchIndexOf(sql)
  return (threadId: string, item: Item) =>
    item.status === "started"
      ? Effect.void
      : write(textOf(item), sql`thread_id = ${threadId} AND id = ${columnId(item.id)}`)
}

export const makeSearchStore = ({ failing, sql, together }: Within): SearchStore => {
  const { matching, write } = searchIndexOf(sql)
  return {
    find: Effect.fnUntraced(function* (terms, { limit, project, provider, skip, thread }) {
      const match = terms.length === 0 ? undefined : matching(terms)
      if (match === undefined) return []
      const of = [
        ...(project === undefined ? [] : [sql`thread.project = ${project}`]),
        ...(thread === undefined ? [] : [sql`item.thread_id = ${thread}`]),
        ...(provider === undefined ? [] : [sql`thread.provider = ${provider}`])
      ]
      const where = of.length === 0 ? sql`` : sql`AND ${sql.and(of)}`
      // Pages within a thousand are of one ranking.
      const block = Math.floor(skip / ranked) * ranked
      const rows = yield* failing(
        sql<FoundRow>`SELECT item_json, thread_json, last_seq, created_at FROM (
        SELECT item.record_json AS item_json, thread.record_json AS thread_json, last_seq, created_at,
            ${match.score} AS score
          FROM item_text JOIN item ON item.ordinal = item_text.rowid JOIN thread ON thread.id = item.thread_id
          WHERE ${match.isThere} ${where}
          ORDER BY item_text.rowid DESC LIMIT ${ranked} OFFSET ${block}
      ) AS newest ORDER BY score LIMIT ${limit} OFFSET ${skip - block}`
      )
      const found = yield* Effect.forEach(rows, ({ item_json, thread_json, ...columns }) =>
        Effect.all({
          item: items.one([{ record_json: item_json }]),
          thread: threads.one([{ record_json: thread_json, ...columns }])
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
          yield* write(textOf(item.value), sql`ordinal = ${row.ordinal}`)
        }
        const last = rows.at(-1)?.ordinal
        if (last === undefined) yield* sql`DELETE FROM search_fill`
        else yield* sql`UPDATE search_fill SET before = ${last}`
        return last !== undefined
      })
    )
  }
}
