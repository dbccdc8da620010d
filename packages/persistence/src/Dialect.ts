import { StoreFailed } from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { nothingElsewhere } from "@rejoin/core/store/Ownership"
import { Effect, identity, Option } from "effect"
import { within } from "./Within.ts"
import type { SqlClient, SqlError } from "effect/sql"
import { eventsChannel } from "./Listening.ts"
import type { Machine } from "./Machine.ts"
import type { Fragment } from "effect/sql/Statement"

/** What the two databases do each in their own way. All else is one SQL. */
export interface Dialect {
  /**
   * Takes so many positions, and tells the last of them. They go back with the transaction, so that none is ever left out:
   * a reader that has seen one has seen all before it.
   */
  readonly takePositions: (howMany: number) => Effect.Effect<number, SqlError.SqlError>
  readonly lastPosition: Effect.Effect<number, SqlError.SqlError>
  /**
   * Until the transaction ends, nobody else changes these threads or what hangs on them. All in one statement and in one
   * order, and before anything else: then no two wait for each other. Returns those that another machine runs, or none.
   */
  readonly lock: (ids: Iterable<ThreadId>) => Effect.Effect<ReadonlyMap<ThreadId, string>, SqlError.SqlError>
  /** What is run here, by the thread's id in this column. */
  readonly isOurs: (column: string) => Fragment
  /** A place in the queue behind all others. */
  readonly lastOrdinal: Fragment
  /** Behind an INSERT of what may be there: it stays, and nobody removes it before the transaction ends. */
  readonly keepThere: Fragment
  /** Ends what does not end by itself: over a network there may be nobody any more who answers. */
  readonly bounded: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E | StoreFailed, R>
}

/** The database itself ends a statement after 30 seconds. */
const longest = "35 seconds"
const inTime = within(
  longest,
  () => new StoreFailed({ message: `The database has not answered within ${longest}.`, away: true })
)

const single = (sql: SqlClient.SqlClient): Dialect => ({
  // The counter that SQLite itself keeps: another table would be another page to write, at each commit.
  takePositions: (howMany) =>
    Effect.gen(function* () {
      const [taken] = yield* sql<{ seq: number }>`
        UPDATE sqlite_sequence SET seq = seq + ${howMany} WHERE name = 'event' RETURNING seq`
      if (taken !== undefined) return taken.seq
      yield* sql`INSERT INTO sqlite_sequence ${sql.insert({ name: "event", seq: howMany })}`
      return howMany
    }),
  lastPosition: Effect.map(
    sql<{ seq: number }>`SELECT seq FROM sqlite_sequence WHERE name = 'event'`,
    ([row]) => row?.seq ?? 0
  ),
  // There is one connection, and one process.
  lock: () => Effect.succeed(nothingElsewhere),
  isOurs: () => sql.literal("1 = 1"),
  lastOrdinal: sql.literal("(SELECT max(ordinal) + 1 FROM turn)"),
  keepThere: sql.literal("ON CONFLICT DO NOTHING"),
  bounded: identity
})

const shared = (sql: SqlClient.SqlClient, machine: Machine | undefined): Dialect => ({
  // Who listens is told when it is committed. A sequence would give out numbers in another order than that of the commits,
  // and readers would pass over some.
  takePositions: (howMany) =>
    Effect.map(
      sql<{ last: number }>`
        UPDATE event_position SET last = last + ${howMany}
        RETURNING last, pg_notify(${eventsChannel}, current_schema() || ' ' || last)::text`,
      ([row]) => row?.last ?? 0
    ),
  lastPosition: Effect.map(sql<{ last: number }>`SELECT last FROM event_position`, ([row]) => row?.last ?? 0),
  // Not FOR UPDATE: foreign keys hold KEY SHARE on a thread, and two would wait for each other.
  lock: (ids) => {
    const wanted = [...new Set(ids)]
    if (wanted.length === 0) return Effect.succeed(nothingElsewhere)
    return Effect.map(
      sql<{ id: ThreadId; owner: string | null }>`
        SELECT id, owner FROM thread WHERE id IN ${sql.in(wanted)} ORDER BY id FOR NO KEY UPDATE`,
      (rows) =>
        new Map(
          rows.flatMap(({ id, owner }): Array<[ThreadId, string]> =>
            machine === undefined || owner === machine.id ? [] : [[id, owner ?? "none"]]
          )
        )
    )
  },
  // One that was deleted is nobody's: what is left of it may be removed by anyone.
  isOurs: (column) =>
    machine === undefined
      ? sql.literal("TRUE")
      : sql`NOT EXISTS (SELECT 1 FROM thread WHERE thread.id = ${sql.literal(column)}
          AND thread.owner IS DISTINCT FROM ${machine.id})`,
  lastOrdinal: sql.literal("nextval(pg_get_serial_sequence('turn', 'ordinal'))"),
  keepThere: sql.literal("ON CONFLICT (hash) DO UPDATE SET hash = excluded.hash"),
  // A statement ends with its transaction.
  bounded: (effect) =>
    Effect.flatMap(Effect.serviceOption(sql.transactionService), (outer) =>
      Option.isSome(outer) ? effect : inTime(effect)
    )
})

export const dialectOf = (sql: SqlClient.SqlClient, machine?: Machine): Dialect =>
  sql.onDialectOrElse({ pg: () => shared(sql, machine), orElse: () => single(sql) })
