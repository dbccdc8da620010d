import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** A start of the server looks at the bindings that look alive, and at no other: however many there are. */
export const alive = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(
    "CREATE INDEX provider_session_runtime_alive ON provider_session_runtime (thread_id) WHERE status NOT IN ('none', 'stopped')"
  )
})
