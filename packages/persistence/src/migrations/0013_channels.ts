import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** Chats on other platforms: what came from them, what is to be said there, and who may talk. */
export const channels = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const statements = [
    "CREATE TABLE channel_cursor (channel TEXT PRIMARY KEY, account TEXT NOT NULL, cursor TEXT NOT NULL)",
    `CREATE TABLE channel_inbox (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL, chat TEXT NOT NULL, message TEXT NOT NULL,
      open INTEGER NOT NULL, turn_id TEXT, at INTEGER NOT NULL, record_json TEXT NOT NULL,
      UNIQUE (channel, chat, message))`,
    "CREATE INDEX channel_inbox_open ON channel_inbox (channel, chat, seq) WHERE open = 1",
    `CREATE TABLE channel_outbox (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, ord INTEGER NOT NULL, channel TEXT NOT NULL, item TEXT NOT NULL,
      part INTEGER NOT NULL, chat TEXT NOT NULL, due INTEGER NOT NULL, open INTEGER NOT NULL, remote TEXT,
      record_json TEXT NOT NULL,
      UNIQUE (channel, item, part))`,
    "CREATE INDEX channel_outbox_remote ON channel_outbox (channel, remote) WHERE remote IS NOT NULL",
    "CREATE INDEX channel_outbox_due ON channel_outbox (channel, chat, ord, part) WHERE due = 1",
    "CREATE INDEX channel_outbox_open ON channel_outbox (channel, ord) WHERE open = 1",
    `CREATE TABLE channel_ask (
      channel TEXT NOT NULL, id TEXT NOT NULL, request_id TEXT NOT NULL, open INTEGER NOT NULL, answered_by TEXT,
      record_json TEXT NOT NULL, PRIMARY KEY (channel, id), UNIQUE (channel, request_id))`,
    "CREATE INDEX channel_ask_answered ON channel_ask (channel, answered_by) WHERE answered_by IS NOT NULL",
    "CREATE INDEX channel_ask_open ON channel_ask (channel) WHERE open = 1",
    `CREATE TABLE channel_chat (
      channel TEXT NOT NULL, chat TEXT NOT NULL, thread_id TEXT, PRIMARY KEY (channel, chat))`,
    `CREATE TABLE channel_peer (
      channel TEXT NOT NULL, person TEXT NOT NULL, name TEXT NOT NULL, since TEXT NOT NULL,
      PRIMARY KEY (channel, person))`,
    `CREATE TABLE channel_pairing (
      channel TEXT NOT NULL, hash TEXT NOT NULL, expires_at TEXT NOT NULL, PRIMARY KEY (channel, hash))`
  ]
  for (const statement of statements) yield* sql.unsafe(statement)
})
