import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/**
 * Where words are. Only where: what was said stands in the items. Items that are there by now are filled in later, from the
 * last one back (`search_fill`).
 */
export const search = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(
    `CREATE VIRTUAL TABLE item_text USING fts5(text, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 2")`
  )
  yield* sql.unsafe(
    "CREATE TRIGGER item_text_of_no_item AFTER DELETE ON item BEGIN DELETE FROM item_text WHERE rowid = OLD.ordinal; END"
  )
  yield* sql.unsafe("CREATE TABLE search_fill (before INTEGER NOT NULL)")
  yield* sql.unsafe("INSERT INTO search_fill SELECT coalesce(max(ordinal), 0) + 1 FROM item")
})
