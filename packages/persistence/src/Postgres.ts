import { PgClient, PgTypes } from "@effect/sql-pg"
import { type DataDirectoryHeld, StoreFailed } from "@rejoin/contracts/Errors"
import { Context, Effect, Layer, Option, type Redacted, Result } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient, type SqlError } from "effect/sql"
import { DatabaseFile } from "./DatabaseFile.ts"
import { inspectRows, type Read } from "./Inspection.ts"
import { Heard } from "./Heard.ts"
import { listening } from "./Listening.ts"
import { holdAlone } from "./HoldAlone.ts"
import { holdLease, type MachineInfo } from "./Lease.ts"
import { Machine } from "./Machine.ts"
import { migrate } from "./Migrations.ts"
import { makeSingleton, Singleton } from "./Singleton.ts"
import { saidIn, storeFailed } from "./StoreFailure.ts"

export interface PostgresConfig {
  /** `postgres://user:password@host:port/database`. */
  readonly url: Redacted.Redacted
  /** The schema that holds our tables, which is there; without it the one that the server gives its user. */
  readonly schema?: string
  /** At most so many connections; 10, unless another number is named. */
  readonly connections?: number
}

/** A record may hold an agent's whole output. The driver's own limit is 16 MiB, and ends the connection. In bytes. */
const largestMessage = 256 * 1024 * 1024

// Who holds a thread's row or the events' counter holds up others: on another machine too, where it was frozen or cut off.
const deadlines = {
  statement_timeout: "30s",
  lock_timeout: "10s",
  idle_in_transaction_session_timeout: "5s",
  // Whoever went without a word: its locks go when the server notices.
  tcp_keepalives_idle: "10",
  tcp_keepalives_interval: "5",
  tcp_keepalives_count: "3"
}

/** Counts are numbers here: positions stay below 2^53. */
const types = PgTypes.makeRegistry()
types.register<number>(PgTypes.OID.int8, {
  encode: (value) => {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigInt64(0, BigInt(value))
    return Result.succeed(bytes)
  },
  decode: (bytes) =>
    Result.succeed(Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigInt64(0)))
})

const settingsOf = ({ schema, url }: PostgresConfig) => ({
  url,
  types,
  maxMessageSize: largestMessage,
  applicationName: "rejoin",
  connectTimeout: "5 seconds" as const,
  keepAlive: "5 seconds" as const,
  startupParameters: { ...deadlines, ...(schema !== undefined && { search_path: schema }) }
})

/** A connection that nobody else waits for. */
const ownConnection = (config: PostgresConfig, startupParameters: Record<string, string> = {}) => {
  const own = settingsOf(config)
  return Effect.provide(
    PgClient.makeClient({ ...own, startupParameters: { ...own.startupParameters, ...startupParameters } }),
    Reactivity.layer
  )
}

/** A beat keeps it: without one for so long, the database takes its locks away. */
const dies = { idle_session_timeout: "15s" }

/** At a start nothing is waited for. */
const unusable = (error: SqlError.SqlError) =>
  new StoreFailed({
    message: `The database cannot be used: ${saidIn(error)}`,
    hint: "REJOIN_DATABASE_URL names it: postgres://user:password@host:5432/database"
  })

/**
 * Looks into the database without changing it. With a machine's id at the threads that are run there or by nobody: the
 * conversations of the others are on other machines. And who those are.
 */
export const inspect = (config: PostgresConfig & { readonly machine: Option.Option<string> }) =>
  Effect.scoped(
    Effect.gen(function* () {
      const sql = yield* ownConnection(config, { default_transaction_read_only: "on" })
      const all: Read = (text) =>
        Effect.mapError(sql.unsafe<Record<string, unknown>>(text), (error) => storeFailed(error))
      const machines = yield* sql<{ id: string; name: string; lives: boolean }>`
        SELECT id, name, lease_until > clock_timestamp() AS lives FROM machine ORDER BY name, id`
      // It is one of ours, and has no quote in it.
      const me = Option.filter(config.machine, (id) => machines.some((machine) => machine.id === id))
      const inspection = yield* inspectRows(all, {
        damage: Effect.succeed([]),
        ...(Option.isSome(me) && {
          ours: (column: string) =>
            `${column} IN (SELECT id FROM thread WHERE owner IS NULL OR owner = '${me.value}')`
        })
      })
      return { inspection, machines }
    }).pipe(Effect.catchTag("SqlError", (error) => Effect.fail(unusable(error))))
  )

/** Connections, as many as are wanted; nothing is in the database yet. */
const connected = Effect.fnUntraced(function* (config: PostgresConfig) {
  const sql = yield* PgClient.make({ ...settingsOf(config), maxConnections: config.connections ?? 10 })
  const [server] = yield* sql<{ server_encoding: string }>`SHOW server_encoding`
  if (server?.server_encoding !== "UTF8") {
    return yield* new StoreFailed({
      message: `The database is in ${server?.server_encoding ?? "no"} encoding: not every text can be kept in it.`,
      hint: "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
    })
  }
  return { sql, migrated: Effect.provideService(migrate, SqlClient.SqlClient, sql) }
})

/**
 * A PostgreSQL database, migrated to the present schema; several servers may begin at once. A commit is on its disk when it
 * returns. No statement lasts longer than half a minute. With a machine's id each thread is run by one of them at a time; without
 * one by whoever is asked: for reading, and for tests.
 */
export const layer = (
  config: PostgresConfig & { readonly machine?: MachineInfo }
): Layer.Layer<SqlClient.SqlClient | PgClient.PgClient, StoreFailed | DataDirectoryHeld> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const { migrated, sql } = yield* connected(config)
      yield* migrated
      const context = Context.make(SqlClient.SqlClient, sql as SqlClient.SqlClient).pipe(
        Context.add(PgClient.PgClient, sql),
        Context.add(Heard, listening(sql))
      )
      if (config.machine === undefined) return context
      const { check, machine } = yield* holdLease(sql, ownConnection(config, dies), config.machine)
      return context.pipe(
        Context.add(Machine, machine),
        Context.add(Singleton, makeSingleton(ownConnection(config, dies))),
        Context.add(DatabaseFile, { check, durable: Effect.void })
      )
    }).pipe(Effect.catchTag("SqlError", (error) => Effect.fail(unusable(error))))
  ).pipe(Layer.provide(Reactivity.layer))

/**
 * The same for one server: a second one is refused as long as the first has it (law 5), before it changes anything. One that
 * lost its connection and was replaced meanwhile writes nothing any more.
 */
export const layerAlone = (
  config: PostgresConfig & { readonly machine?: string }
): Layer.Layer<SqlClient.SqlClient, StoreFailed | DataDirectoryHeld> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const { migrated, sql } = yield* connected(config)
      const check = yield* holdAlone(sql, ownConnection(config, dies), migrated, config.machine ?? null)
      return Context.make(SqlClient.SqlClient, sql as SqlClient.SqlClient).pipe(
        Context.add(DatabaseFile, { check, durable: Effect.void })
      )
    }).pipe(Effect.catchTag("SqlError", (error) => Effect.fail(unusable(error))))
  ).pipe(Layer.provide(Reactivity.layer))
