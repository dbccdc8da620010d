import { StoreFailed } from "@rejoin/contracts/Errors"
import { type Binding, LineageEntry, StartIntent, ThreadRecord, TurnRecord } from "@rejoin/core/store/Records"
import { TranscriptHead } from "@rejoin/core/store/TranscriptStore"
import { Item } from "@rejoin/contracts/Item"
import { Receipt } from "@rejoin/contracts/Receipt"
import { TrustedDirectory } from "@rejoin/contracts/Trust"
import { Effect, Option, Result, Schema } from "effect"
import { DatabaseSync } from "node:sqlite"
import { migrations } from "./Migrations.ts"
import { type BindingRow, fromBindingRow, parse } from "./Rows.ts"

/** A row that no server can read: the thread that it belongs to, where that is known, and why. */
export interface UnreadableRow {
  readonly table: string
  readonly thread: string
  readonly reason: string
}

/** What is in a database file. */
export interface Inspection {
  readonly schema: { readonly found: number; readonly known: number }
  /** What SQLite says of the file's own structure; empty where it is whole. */
  readonly damage: ReadonlyArray<string>
  readonly threads: ReadonlyArray<ThreadRecord>
  readonly bindings: ReadonlyArray<Binding>
  readonly trusted: ReadonlyArray<TrustedDirectory>
  /** Our copies of the agents' records. */
  readonly transcripts: ReadonlyArray<TranscriptHead>
  readonly unreadable: ReadonlyArray<UnreadableRow>
  /** Turns that have not settled, and starts that have not ended: the next start of the server sees to them. */
  readonly openTurns: number
  readonly intents: number
}

// Each table whose record is JSON, by the column that names its thread.
const documents = [
  ["thread", "id", ThreadRecord],
  ["turn", "thread_id", TurnRecord],
  ["binding_lineage", "thread_id", LineageEntry],
  ["start_intent", "thread_id", StartIntent],
  ["receipt", "thread_id", Receipt],
  ["item", "thread_id", Item]
] as const

const decodeHead = Schema.decodeUnknownOption(TranscriptHead)
const decodeTrusted = Schema.decodeUnknownOption(TrustedDirectory)

const numberOf = (row: Record<string, unknown> | undefined) => Number(Object.values(row ?? {})[0] ?? 0)

/** One statement that reads, on whichever database. */
export type Read = (sql: string) => Effect.Effect<ReadonlyArray<Record<string, unknown>>, StoreFailed>

/** What all tables have, or only those rows of threads for which this holds, by the thread's id. */
export const inspectRows = Effect.fnUntraced(function* (
  all: Read,
  {
    damage,
    ours = () => "1 = 1"
  }: {
    readonly damage: Effect.Effect<ReadonlyArray<string>, StoreFailed>
    readonly ours?: (column: string) => string
  }
) {
  const schema = {
    found: numberOf((yield* all("SELECT max(migration_id) FROM rejoin_migrations"))[0]),
    known: Object.keys(migrations).length
  }
  if (schema.found > schema.known) {
    return yield* new StoreFailed({
      message: `The database has schema ${schema.found}, and this version knows ${schema.known} at most.`,
      hint: "Use the newer version of the server that wrote it."
    })
  }
  const unreadable: Array<UnreadableRow> = []
  const threads: Array<ThreadRecord> = []
  for (const [table, thread, record] of documents) {
    const decode = Schema.decodeUnknownResult(record)
    for (const row of yield* all(
      `SELECT ${thread} AS thread, record_json FROM ${table} WHERE ${ours(thread)}`
    )) {
      const decoded = decode(parse(String(row["record_json"])))
      if (Result.isFailure(decoded)) {
        const reason = decoded.failure.message
        unreadable.push({ table, thread: String(row["thread"]), reason })
      } else if (table === "thread") threads.push(decoded.success as ThreadRecord)
    }
  }
  const bindings: Array<Binding> = []
  for (const row of yield* all(
    `SELECT * FROM provider_session_runtime WHERE ${ours("thread_id")} ORDER BY created_at, thread_id`
  )) {
    const binding = yield* Effect.result(
      fromBindingRow({ terminal_json: null, ...row } as unknown as BindingRow)
    )
    if (Result.isSuccess(binding)) bindings.push(binding.success)
    else
      unreadable.push({
        table: "provider_session_runtime",
        thread: String(row["thread_id"]),
        reason: binding.failure.message
      })
  }
  // A file that was written before there was such a table trusts nothing.
  const trusted = schema.found < 3 ? [] : yield* all("SELECT record_json FROM trusted_directory")
  const heads =
    schema.found < 8 ? [] : yield* all(`SELECT record_json FROM transcript WHERE ${ours("thread_id")}`)
  const inspection: Inspection = {
    transcripts: heads.flatMap(({ record_json }) => Option.toArray(decodeHead(parse(String(record_json))))),
    trusted: trusted.flatMap(({ record_json }) => Option.toArray(decodeTrusted(parse(String(record_json))))),
    schema,
    damage: yield* damage,
    threads,
    bindings,
    unreadable,
    openTurns: numberOf((yield* all(`SELECT count(*) FROM turn WHERE open = 1 AND ${ours("thread_id")}`))[0]),
    intents: numberOf((yield* all(`SELECT count(*) FROM start_intent WHERE ${ours("thread_id")}`))[0])
  }
  return inspection
})

/**
 * Looks into the file without changing it: it is opened read-only and not migrated. Fails where it is no database, or
 * one of a newer version, of which nothing is known.
 */
export const inspect = (filename: string): Effect.Effect<Inspection, StoreFailed> =>
  Effect.acquireUseRelease(
    attempt(() => new DatabaseSync(filename, { readOnly: true, timeout: 5000 })),
    (db) => {
      const all: Read = (sql) => attempt(() => db.prepare(sql).all())
      return inspectRows(all, {
        damage: Effect.map(all("PRAGMA integrity_check"), (rows) =>
          rows.flatMap((row) => Object.values(row).map(String)).filter((line) => line !== "ok")
        )
      })
    },
    (db) => Effect.sync(() => db.close())
  )

const attempt = <A>(body: () => A) =>
  Effect.try({
    try: body,
    catch: (cause) =>
      new StoreFailed({
        message: `The database cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
        hint: "Restore it from a copy."
      })
  })
