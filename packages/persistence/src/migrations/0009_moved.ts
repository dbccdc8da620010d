import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** Threads that were exported to go on elsewhere. */
export const moved = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("ALTER TABLE provider_session_runtime ADD COLUMN moved_json TEXT")
})
