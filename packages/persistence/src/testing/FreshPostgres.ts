import { PgClient } from "@effect/sql-pg"
import { randomBytes } from "node:crypto"
import { Context, Effect, Layer, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import * as Postgres from "../Postgres.ts"

const url = process.env["REJOIN_TEST_POSTGRES"]

/** Whether there is a PostgreSQL to test with: the run has one of its own, where there is a program for its system. */
export const hasPostgres = url !== undefined

/** An empty schema of the tests' PostgreSQL, which goes with the scope. */
export const freshSchema = Effect.gen(function* () {
  const config = { url: Redacted.make(url ?? ""), schema: `t_${randomBytes(6).toString("hex")}` }
  const sql = yield* PgClient.makeClient({ url: config.url })
  yield* sql.unsafe(`CREATE SCHEMA ${config.schema}`)
  yield* Effect.addFinalizer(() => Effect.ignore(sql.unsafe(`DROP SCHEMA ${config.schema} CASCADE`)))
  return config
}).pipe(Effect.provide(Reactivity.layer), Effect.orDie)

/** A database of its own, each time it is built. */
export const freshPostgres: Layer.Layer<SqlClient.SqlClient | PgClient.PgClient> = Layer.fresh(
  Layer.effectContext(
    Effect.gen(function* () {
      const context = yield* Layer.build(Postgres.layer({ ...(yield* freshSchema), connections: 6 }))
      return Context.pick(SqlClient.SqlClient, PgClient.PgClient)(context)
    }).pipe(Effect.orDie)
  )
)

/** Cuts the connections on which servers listen: of all tests, which listen again. */
export const endListeners = Effect.gen(function* () {
  const sql = yield* PgClient.makeClient({ url: Redacted.make(url ?? "") })
  yield* sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'LISTEN%'`
}).pipe(Effect.scoped, Effect.provide(Reactivity.layer), Effect.orDie)
