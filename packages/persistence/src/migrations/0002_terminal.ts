import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** Sessions that the user's own terminal has. */
export const terminal = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("ALTER TABLE provider_session_runtime ADD COLUMN terminal_json TEXT")
})
