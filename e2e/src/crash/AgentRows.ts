import { Effect } from "effect"
import { DatabaseSync } from "node:sqlite"

/** What of the server's database no client is told: generations, sessions now and before, what is half done. */
export const rowsOf = (path: string) =>
  Effect.acquireUseRelease(
    Effect.sync(() => new DatabaseSync(path, { readOnly: true })),
    (db) =>
      Effect.sync(() => {
        const all = (sql: string) => db.prepare(sql).all()
        return {
          turns: new Map(
            all("SELECT id, record_json FROM turn").map((row) => [
              String(row["id"]),
              JSON.parse(String(row["record_json"])) as { readonly generation: number | null }
            ])
          ),
          sessions: [
            ...all("SELECT thread_id, provider_session_id AS id FROM provider_session_runtime"),
            ...all(
              "SELECT thread_id, json_extract(record_json, '$.providerSessionId') AS id FROM binding_lineage"
            )
          ].flatMap((row) =>
            row["id"] === null ? [] : { thread: String(row["thread_id"]), id: String(row["id"]) }
          ),
          intents: all("SELECT * FROM start_intent").length,
          requests: all("SELECT * FROM request").length
        }
      }),
    (db) => Effect.sync(() => db.close())
  )
