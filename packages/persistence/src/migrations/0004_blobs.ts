import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { createHash } from "node:crypto"

interface Old {
  readonly name: string
  readonly mediaType: string
  readonly data: string
}

const statements = [
  `CREATE TABLE blob (hash TEXT PRIMARY KEY, data TEXT NOT NULL)`,
  `CREATE TABLE turn_blob (
    turn_id TEXT NOT NULL REFERENCES turn (id) ON DELETE CASCADE,
    hash TEXT NOT NULL,
    PRIMARY KEY (turn_id, hash)
  )`,
  `CREATE INDEX turn_blob_hash ON turn_blob (hash)`,
  // What no turn has any more is nobody's, whichever way its last turn went.
  `CREATE TRIGGER blob_of_no_turn AFTER DELETE ON turn_blob BEGIN
    DELETE FROM blob WHERE hash = OLD.hash AND NOT EXISTS (SELECT 1 FROM turn_blob WHERE hash = OLD.hash);
  END`
]

const bytesIn = (base64: string) => Buffer.byteLength(base64, "base64")

/**
 * What attachments hold lies beside their turns. In the turn's own row it was read with every list of turns, as often
 * as the thread was opened.
 */
export const blobs = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
  const found = yield* sql<{ id: string }>`
    SELECT id FROM turn WHERE json_valid(record_json) AND json_array_length(record_json, '$.attachments') > 0`
  // One at a time: all of them may be more than memory holds.
  for (const { id } of found) {
    const [row] = yield* sql<{ record_json: string }>`SELECT record_json FROM turn WHERE id = ${id}`
    if (row === undefined) continue
    const record = JSON.parse(row.record_json) as { readonly attachments: ReadonlyArray<Old> }
    const attachments: Array<unknown> = []
    for (const { data, mediaType, name } of record.attachments) {
      const hash = createHash("sha256").update(data).digest("hex")
      yield* sql`INSERT INTO blob ${sql.insert({ hash, data })} ON CONFLICT DO NOTHING`
      yield* sql`INSERT INTO turn_blob ${sql.insert({ turn_id: id, hash })} ON CONFLICT DO NOTHING`
      attachments.push({ name, mediaType, hash, bytes: bytesIn(data) })
    }
    yield* sql`UPDATE turn SET record_json = ${JSON.stringify({ ...record, attachments })} WHERE id = ${id}`
  }
})
