import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** Directories whose owner trusted what they bring. */
export const trust = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("CREATE TABLE trusted_directory (path TEXT PRIMARY KEY, record_json TEXT NOT NULL)")
})
