import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/**
 * A sweep looks at the threads of which something is left to remove, and at no other. A page of a thread's items costs
 * what it holds, however many there are.
 */
export const kept = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("ALTER TABLE thread ADD COLUMN purged INTEGER NOT NULL DEFAULT 0")
  yield* sql.unsafe("CREATE INDEX thread_kept ON thread (ordinal) WHERE purged = 0")
  yield* sql.unsafe("CREATE INDEX item_thread ON item (thread_id, ordinal)")
})
