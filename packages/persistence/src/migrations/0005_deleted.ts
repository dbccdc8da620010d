import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** That a thread is gone is told to readers who were away when it went: an event of its own goes with it. */
export const deleted = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(
    "CREATE TABLE deleted_thread (position INTEGER PRIMARY KEY, thread_id TEXT NOT NULL, seq INTEGER NOT NULL, at TEXT NOT NULL)"
  )
})
