import { spaced, type Term } from "@rejoin/core/search/SearchText"
import type { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { Fragment } from "effect/sql/Statement"
import { queryOf, vectorOf } from "./WordVector.ts"

/** Where words are. Each database has its own way to find them; both have a table `item_text`, by the item's ordinal as `rowid`. */
export interface SearchIndex {
  /** Of the items of which `which` selects the `ordinal`. */
  readonly write: (text: string, which: Fragment) => Effect.Effect<unknown, SqlError.SqlError>
  /** A condition and an order, the best first; undefined where nothing can be found by these. */
  readonly matching: (
    terms: ReadonlyArray<Term>
  ) => { readonly isThere: Fragment; readonly score: Fragment } | undefined
}

const quoted = (terms: ReadonlyArray<Term>): string =>
  terms
    .map(({ prefix, words }) => `"${spaced(words).replaceAll('"', '""')}"${prefix ? "*" : ""}`)
    .join(" AND ")

export const searchIndexOf = (sql: SqlClient.SqlClient): SearchIndex =>
  sql.onDialectOrElse<SearchIndex, never, SearchIndex>({
    orElse: () => ({
      write: (text, which) =>
        sql`INSERT OR REPLACE INTO item_text (rowid, text) SELECT ordinal, ${spaced(text)} FROM item WHERE ${which}`,
      matching: (terms) => ({
        isThere: sql`item_text MATCH ${quoted(terms)}`,
        score: sql.literal("bm25(item_text)")
      })
    }),
    pg: () => ({
      write: (text, which) => {
        const { full, vector } = vectorOf(text)
        return sql`INSERT INTO item_text (rowid, words, is_full)
          SELECT ordinal, ${vector}::text::tsvector, ${full ? 1 : 0}::int FROM item WHERE ${which}
          ON CONFLICT (rowid) DO UPDATE SET words = excluded.words, is_full = excluded.is_full`
      },
      matching: (terms) => {
        const phrases = queryOf(terms, "<->")
        const words = queryOf(terms, "&")
        if (phrases === undefined || words === undefined) return undefined
        return {
          // Where not all places are told, the words have to do.
          isThere: sql`words @@ ${words}::text::tsquery AND (is_full = 1 OR words @@ ${phrases}::text::tsquery)`,
          score: sql`-ts_rank(words, ${words}::text::tsquery)`
        }
      }
    })
  })
