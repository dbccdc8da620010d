import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** Which threads are open in a terminal is asked whenever another one is opened. */
export const terminals = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(
    "CREATE INDEX provider_session_runtime_terminal ON provider_session_runtime (thread_id) WHERE terminal_json IS NOT NULL"
  )
})
