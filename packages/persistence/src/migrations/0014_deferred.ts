import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** Turns that wait for their time: `due` is that, in ISO 8601, and null for all others. */
export const deferred = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("ALTER TABLE turn ADD COLUMN due TEXT")
  yield* sql.unsafe("CREATE INDEX turn_due ON turn (due) WHERE due IS NOT NULL")
  yield* sql.unsafe("CREATE INDEX turn_deferred ON turn (thread_id, due) WHERE due IS NOT NULL")
})
