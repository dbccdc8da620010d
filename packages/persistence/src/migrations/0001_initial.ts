import { Effect } from "effect"
import { SqlClient } from "effect/sql"

// Columns are what is searched by or kept unique; the rest of a record is JSON, so that a field can be added
// without a migration. A binding is all columns: people look at it when something went wrong.
const statements = [
  `CREATE TABLE thread (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    project TEXT,
    key_agent TEXT,
    key_external TEXT,
    last_seq INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    record_json TEXT NOT NULL,
    UNIQUE (key_agent, key_external)
  )`,
  `CREATE INDEX thread_project ON thread (project, ordinal)`,
  `CREATE TABLE provider_session_runtime (
    thread_id TEXT PRIMARY KEY REFERENCES thread (id) ON DELETE CASCADE,
    instance_id TEXT NOT NULL,
    driver TEXT NOT NULL,
    store_id TEXT,
    provider_session_id TEXT,
    resume_cursor_json TEXT NOT NULL,
    cwd TEXT,
    runtime_mode TEXT,
    model TEXT,
    status TEXT NOT NULL,
    generation INTEGER NOT NULL,
    prior TEXT NOT NULL,
    mark TEXT,
    reset_requested INTEGER NOT NULL,
    last_seen_at TEXT,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
  )`,
  `CREATE UNIQUE INDEX one_thread_an_upstream_session
    ON provider_session_runtime (driver, store_id, provider_session_id)`,
  `CREATE TABLE binding_lineage (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    thread_id TEXT NOT NULL REFERENCES thread (id) ON DELETE CASCADE,
    record_json TEXT NOT NULL
  )`,
  `CREATE INDEX binding_lineage_thread ON binding_lineage (thread_id)`,
  // Outlives its thread: what it created is still to be undone.
  `CREATE TABLE start_intent (
    thread_id TEXT NOT NULL,
    generation INTEGER NOT NULL,
    record_json TEXT NOT NULL,
    PRIMARY KEY (thread_id, generation)
  )`,
  `CREATE TABLE turn (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    thread_id TEXT NOT NULL REFERENCES thread (id) ON DELETE CASCADE,
    open INTEGER NOT NULL,
    record_json TEXT NOT NULL
  )`,
  `CREATE INDEX turn_thread ON turn (thread_id, ordinal)`,
  `CREATE INDEX turn_open ON turn (thread_id, ordinal) WHERE open = 1`,
  // The keys of turns and of the steers that joined them.
  `CREATE TABLE turn_key (
    thread_id TEXT NOT NULL REFERENCES thread (id) ON DELETE CASCADE,
    idempotency_key TEXT NOT NULL,
    turn_id TEXT NOT NULL,
    PRIMARY KEY (thread_id, idempotency_key)
  )`,
  `CREATE TABLE event (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    thread_id TEXT NOT NULL REFERENCES thread (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    type TEXT NOT NULL,
    turn_id TEXT,
    item_id TEXT,
    generation INTEGER NOT NULL,
    at TEXT NOT NULL,
    data_json TEXT NOT NULL,
    UNIQUE (thread_id, seq)
  )`,
  `CREATE TABLE item (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    thread_id TEXT NOT NULL REFERENCES thread (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    record_json TEXT NOT NULL,
    UNIQUE (thread_id, id)
  )`,
  `CREATE TABLE request (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    thread_id TEXT NOT NULL REFERENCES thread (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    record_json TEXT NOT NULL,
    UNIQUE (thread_id, id)
  )`,
  `CREATE TABLE receipt (
    ordinal INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    thread_id TEXT NOT NULL REFERENCES thread (id) ON DELETE CASCADE,
    record_json TEXT NOT NULL
  )`,
  `CREATE INDEX receipt_thread ON receipt (thread_id, ordinal)`,
  `CREATE TABLE transcript (
    thread_id TEXT PRIMARY KEY REFERENCES thread (id) ON DELETE CASCADE,
    envelope_json TEXT NOT NULL
  )`
]

/** The first schema. */
export const initial = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  for (const statement of statements) yield* sql.unsafe(statement)
})
