import type { StoreFailed } from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import {
  alone,
  type MachineState,
  type Ownership,
  type Place,
  runElsewhere
} from "@rejoin/core/store/Ownership"
import { Effect, Option, Schedule, Stream } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { Machine } from "./Machine.ts"

interface Within {
  readonly sql: SqlClient.SqlClient
  readonly machine: Machine | undefined
  readonly failing: <A, E>(
    effect: Effect.Effect<A, E>
  ) => Effect.Effect<A, Exclude<E, SqlError.SqlError> | StoreFailed>
  readonly transaction: <A, E>(
    body: Effect.Effect<A, E>
  ) => Effect.Effect<A, Exclude<E, SqlError.SqlError> | StoreFailed>
  /** A transaction, or part of the one that it stands in. */
  readonly together: Within["transaction"]
}

/**
 * Who runs a thread stands in its row, and lives as long as its lease. A claim locks the row first: of two that claim at once
 * one has it. Clocks of machines are never compared, and who could not renew its own lease lately takes nothing from
 * others: when the database was away, all leases had run out, and everybody would take from everybody.
 */
export const makeOwnership = ({ failing, machine, sql, together, transaction }: Within): Ownership => {
  if (machine === undefined) return alone
  const { doubted, id: me, lease } = machine
  const lives = sql`EXISTS (
    SELECT 1 FROM machine WHERE machine.id = thread.owner AND lease_until > clock_timestamp())`
  const isAlive = sql`machine.lease_until > clock_timestamp()`
  const mayTake = sql`EXISTS (
    SELECT 1 FROM machine WHERE id = ${me} AND lease_until > clock_timestamp()
      AND alive_since < clock_timestamp() - ${lease} * interval '1 second')`

  const ownerOf = (id: ThreadId) =>
    Effect.map(
      sql<{ owner: string | null }>`SELECT owner FROM thread WHERE id = ${id}`,
      ([row]): string | null | undefined => row?.owner
    )

  let isLeaving = false

  const take = Effect.fnUntraced(function* (id: ThreadId) {
    yield* sql`SELECT 1 FROM thread WHERE id = ${id} FOR NO KEY UPDATE`
    const taken = yield* sql`UPDATE thread SET owner = ${me}
      WHERE id = ${id} AND (owner IS NULL OR (owner <> ${me} AND NOT ${lives} AND ${mayTake})) RETURNING id`
    if (taken.length === 0) {
      const owner = yield* ownerOf(id)
      // It was deleted, or another request of ours was faster.
      if (owner === undefined || owner === me) return "held" as const
      return yield* runElsewhere(id, owner ?? "none")
    }
    // What its machine had of it is of an older generation, and is never written again.
    yield* sql`UPDATE provider_session_runtime SET generation = generation + 1,
      status = CASE status WHEN 'none' THEN 'none' ELSE 'stopped' END WHERE thread_id = ${id}`
    return "taken" as const
  })

  const forsaken = sql<{
    id: ThreadId
  }>`SELECT DISTINCT thread.id FROM turn JOIN thread ON thread.id = turn.thread_id
    WHERE turn.open = 1 AND NOT ${lives} AND (thread.owner IS NULL OR ${mayTake})`

  return {
    placeOf: (id) =>
      Effect.map(
        failing(
          sql<Place>`SELECT machine.name AS machine, machine.url FROM thread JOIN machine ON machine.id = thread.owner
            WHERE thread.id = ${id} AND machine.id <> ${me} AND ${isAlive}`
        ),
        ([row]) => Option.fromUndefinedOr(row)
      ),
    machines: failing(
      sql<MachineState>`SELECT machine.id, name, version, ${isAlive} AS lives,
          (SELECT count(*) FROM provider_session_runtime AS session JOIN thread ON thread.id = session.thread_id
            WHERE session.status NOT IN ('none', 'stopped') AND thread.owner = machine.id) AS threads
        FROM machine ORDER BY (machine.id = ${me}) DESC, name, machine.id`
    ),
    announce: (url) => Effect.asVoid(together(sql`UPDATE machine SET url = ${url} WHERE id = ${me}`)),
    claim: (id) =>
      Effect.flatMap(failing(ownerOf(id)), (owner) =>
        owner === undefined || owner === me
          ? Effect.succeed("held" as const)
          : isLeaving
            ? Effect.fail(runElsewhere(id, owner ?? "none"))
            : transaction(take(id))
      ),
    ours: (ids) =>
      ids.length === 0
        ? Effect.succeed([])
        : Effect.map(
            failing(
              sql<{ id: ThreadId }>`SELECT id FROM thread WHERE owner = ${me} AND id IN ${sql.in(ids)}`
            ),
            (rows) => rows.map(({ id }) => id)
          ),
    settled: (id) =>
      Effect.asVoid(
        together(sql`UPDATE thread SET home = ${me} WHERE id = ${id} AND home IS DISTINCT FROM ${me}`)
      ),
    homeOf: (id) =>
      Effect.map(
        failing(
          sql<{ name: string }>`SELECT coalesce(machine.name, thread.home) AS name
            FROM thread LEFT JOIN machine ON machine.id = thread.home
            WHERE thread.id = ${id} AND thread.home <> ${me}`
        ),
        ([row]) => Option.fromUndefinedOr(row?.name)
      ),
    giveBack: (id) =>
      Effect.asVoid(
        together(sql`UPDATE thread SET owner = home WHERE id = ${id} AND owner = ${me} AND home <> ${me}`)
      ),
    leave: Effect.suspend(() => {
      isLeaving = true
      return Effect.map(
        together(sql`UPDATE thread SET owner = NULL WHERE owner = ${me} RETURNING id`),
        ({ length }) => length
      )
    }),
    forsaken: Stream.fromEffectSchedule(
      // While the database is away nobody is known to be gone.
      Effect.orElseSucceed(failing(forsaken), () => []),
      Schedule.spaced(`${lease * 100} millis`)
    ).pipe(
      Stream.flatMap((rows) => Stream.fromIterable(rows)),
      Stream.map(({ id }) => id)
    ),
    doubted
  }
}
