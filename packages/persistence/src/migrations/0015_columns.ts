import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/**
 * What is searched by has a column: a look into each record costs what the history is long, and fails on one that is damaged
 * where the database is strict.
 */
export const columns = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const statements = [
    "ALTER TABLE turn ADD COLUMN message_id TEXT",
    "UPDATE turn SET message_id = json_extract(record_json, '$.messageId') WHERE json_valid(record_json)",
    "CREATE INDEX turn_message ON turn (thread_id, message_id) WHERE message_id IS NOT NULL",
    // Whose keys they are is asked whenever a turn is written.
    "CREATE INDEX turn_key_turn ON turn_key (turn_id)",
    "ALTER TABLE thread ADD COLUMN provider TEXT",
    "UPDATE thread SET provider = json_extract(record_json, '$.provider') WHERE json_valid(record_json)"
  ]
  for (const statement of statements) yield* sql.unsafe(statement)
})
