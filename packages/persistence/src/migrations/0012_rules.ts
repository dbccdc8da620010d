import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** Standing answers to approvals; a thread's own go with it. */
export const rules = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(
    "CREATE TABLE rule (id TEXT PRIMARY KEY, thread_id TEXT REFERENCES thread (id) ON DELETE CASCADE, project TEXT, record_json TEXT NOT NULL)"
  )
  yield* sql.unsafe("CREATE INDEX rule_thread ON rule (thread_id)")
  yield* sql.unsafe("CREATE INDEX rule_project ON rule (project)")
})
