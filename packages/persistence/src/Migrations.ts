import { StoreFailed } from "@rejoin/contracts/Errors"
import { Effect } from "effect"
import { Migrator, SqlClient } from "effect/sql"
import { alive } from "./migrations/0006_alive.ts"
import { kept } from "./migrations/0007_kept.ts"
import { transcripts } from "./migrations/0008_transcripts.ts"
import { moved } from "./migrations/0009_moved.ts"
import { search } from "./migrations/0010_search.ts"
import { terminals } from "./migrations/0011_terminals.ts"
import { rules } from "./migrations/0012_rules.ts"
import { channels } from "./migrations/0013_channels.ts"
import { deferred } from "./migrations/0014_deferred.ts"
import { columns } from "./migrations/0015_columns.ts"
import { baseline } from "./migrations/postgres/0015_baseline.ts"
import { initial } from "./migrations/0001_initial.ts"
import { terminal } from "./migrations/0002_terminal.ts"
import { deleted } from "./migrations/0005_deleted.ts"
import { blobs } from "./migrations/0004_blobs.ts"
import { trust } from "./migrations/0003_trust.ts"

/** Numbered, forward only: a migration that was released never changes. */
export const migrations = {
  "0001_initial": initial,
  "0002_terminal": terminal,
  "0003_trust": trust,
  "0004_blobs": blobs,
  "0005_deleted": deleted,
  "0006_alive": alive,
  "0007_kept": kept,
  "0008_transcripts": transcripts,
  "0009_moved": moved,
  "0010_search": search,
  "0011_terminals": terminals,
  "0012_rules": rules,
  "0013_channels": channels,
  "0014_deferred": deferred,
  "0015_columns": columns
}

/** PostgreSQL begins with what SQLite had come to by then. */
const postgres = { "0015_baseline": baseline }

const table = "rejoin_migrations"
const newest = Object.keys(migrations).length

/**
 * Brings an older database to the present schema. One that a newer version wrote is refused before anything is
 * touched: Effect's Migrator would open it as if nothing were.
 */
export const migrate = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const exists = yield* sql.onDialectOrElse({
    orElse: () => sql`SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ${table}`,
    pg: () => sql`SELECT 1 WHERE to_regclass(${table}) IS NOT NULL`
  })
  if (exists.length > 0) {
    const [row] = yield* sql<{ id: number | null }>`SELECT max(migration_id) AS id FROM ${sql(table)}`
    const found = row?.id ?? 0
    if (found > newest) {
      return yield* new StoreFailed({
        message: `The database has schema ${found}, and this version knows ${newest} at most.`,
        hint: "Use the newer version of the server that wrote it. Nothing was changed."
      })
    }
  }
  const known = sql.onDialectOrElse({ orElse: () => migrations, pg: () => postgres })
  yield* Migrator.make({})({ loader: Migrator.fromRecord(known), table }).pipe(
    Effect.catchTag("MigrationError", (error) =>
      Effect.fail(new StoreFailed({ message: `The database could not be migrated: ${error.message}` }))
    )
  )
})
