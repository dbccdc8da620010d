import { SqliteClient } from "@effect/sql-sqlite-node"
import type { StoreFailed } from "@rejoin/contracts/Errors"
import { Context, Effect, Layer, Predicate } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import { DatabaseFile, databaseFile, keepPrivate } from "./DatabaseFile.ts"
import { migrate } from "./Migrations.ts"
import { storeFailed } from "./StoreFailure.ts"

/**
 * One connection to one SQLite file, migrated to the present schema. Write-ahead log; a commit survives our end, and a
 * loss of power once it was waited for (`Durability`).
 */
export const layer = (filename: string): Layer.Layer<SqlClient.SqlClient, StoreFailed> =>
  Layer.effectContext(
    Effect.gen(function* () {
      // The driver's open throws: a file that is no database, or a directory that cannot be written, is an error.
      const sql = yield* Effect.sync(() => keepPrivate(filename)).pipe(
        Effect.andThen(SqliteClient.make({ filename })),
        Effect.catchDefect((cause) =>
          Effect.fail(storeFailed({ message: Predicate.isError(cause) ? cause.message : String(cause) }))
        )
      )
      yield* sql`PRAGMA synchronous = NORMAL`
      // A checkpoint holds everybody up: it costs what is distinct in the log, so one in four times as many is cheaper.
      yield* sql`PRAGMA wal_autocheckpoint = 4000`
      yield* sql`PRAGMA foreign_keys = ON`
      yield* sql`PRAGMA busy_timeout = 5000`
      yield* migrate.pipe(Effect.provideService(SqlClient.SqlClient, sql))
      return Context.make(SqlClient.SqlClient, sql).pipe(Context.add(DatabaseFile, databaseFile(filename)))
    }).pipe(Effect.catchTag("SqlError", (error) => Effect.fail(storeFailed(error))))
  ).pipe(Layer.provide(Reactivity.layer))
