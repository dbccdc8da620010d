import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** Our copies of the agents' records, in pieces. What was here before them held nothing: no version wrote it. */
export const transcripts = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe("DROP TABLE transcript")
  yield* sql.unsafe(`CREATE TABLE transcript (
    thread_id TEXT PRIMARY KEY REFERENCES thread (id) ON DELETE CASCADE,
    record_json TEXT NOT NULL
  )`)
  yield* sql.unsafe(`CREATE TABLE transcript_piece (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    thread_id TEXT NOT NULL REFERENCES transcript (thread_id) ON DELETE CASCADE,
    file TEXT NOT NULL,
    from_byte INTEGER NOT NULL,
    packed BLOB NOT NULL
  )`)
  yield* sql.unsafe("CREATE INDEX transcript_piece_thread ON transcript_piece (thread_id, ordinal)")
})
