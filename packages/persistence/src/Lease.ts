import type { PgClient } from "@effect/sql-pg"
import { type DataDirectoryHeld, StoreFailed } from "@rejoin/contracts/Errors"
import { Deferred, Effect, Queue, Schedule, type Scope, Stream } from "effect"
import type { SqlError } from "effect/sql"
import { randomUUID } from "node:crypto"
import { type Checked, holdShared, otherServer } from "./HoldAlone.ts"
import type { Machine } from "./Machine.ts"
import { storeFailed } from "./StoreFailure.ts"
import { within } from "./Within.ts"

export interface MachineInfo {
  readonly id: string
  readonly name: string
  readonly version: string
  /** Who has not renewed it for so long is taken for gone. In seconds, by the database's clock alone; 8. */
  readonly lease?: number
}

const silent = new StoreFailed({ message: "The database has not answered within 5 seconds.", away: true })

const replaced = new StoreFailed({
  message: "Another server with the id of this machine has begun: nothing more is written by this one.",
  hint: "A data directory was copied, or two servers use one: each machine needs its own."
})

/**
 * Makes this server one of those on the database until the scope ends, by a row that it renews on a connection of its own:
 * as long as it does, its threads stay with it. Returns it, and what has to pass in every transaction: one server has a
 * machine's id at a time, and the one that began last.
 */
export const holdLease = Effect.fn("holdLease")(function* (
  sql: PgClient.PgClient,
  connect: Effect.Effect<PgClient.PgClient, SqlError.SqlError, Scope.Scope>,
  { id, lease: seconds = 8, name, version }: MachineInfo
) {
  const boot = randomUUID()
  const lease = sql`clock_timestamp() + ${seconds} * interval '1 second'`
  const doubts = yield* Queue.sliding<void>(1)
  const first = yield* Deferred.make<void, StoreFailed | DataDirectoryHeld>()
  let since: string | undefined

  const begin = (own: PgClient.PgClient) =>
    Effect.gen(function* () {
      const [begun] = yield* own<{ since: string }>`
        INSERT INTO machine (id, boot, name, version, lease_until, alive_since)
        VALUES (${id}, ${boot}, ${name}, ${version}, ${lease}, clock_timestamp())
        ON CONFLICT (id) DO UPDATE SET boot = excluded.boot, name = excluded.name, version = excluded.version,
          lease_until = excluded.lease_until, alive_since = excluded.alive_since
        RETURNING alive_since::text AS since`
      since = begun?.since
      // It was here alone before: what it began then is its own.
      yield* own`UPDATE thread SET owner = ${id}, home = ${id}
        WHERE owner IS NULL AND EXISTS (SELECT 1 FROM server WHERE machine = ${id})`
      // Whoever was here alone and lost its lock writes nothing more.
      yield* own`UPDATE server SET boot = ''`
    })

  const renew = (own: PgClient.PgClient) =>
    own<{ since: string }>`
      UPDATE machine SET lease_until = ${lease},
        alive_since = CASE WHEN lease_until > clock_timestamp() THEN alive_since ELSE clock_timestamp() END
      WHERE id = ${id} AND boot = ${boot} RETURNING alive_since::text AS since`.pipe(
      Effect.mapError(storeFailed),
      within("5 seconds", () => silent),
      Effect.flatMap(([row]) => {
        if (row === undefined) return Effect.fail(replaced)
        const before = since
        since = row.since
        return before === row.since ? Effect.void : Queue.offer(doubts, undefined)
      })
    )

  /** As long as a connection lasts. Whoever wants the database alone is kept out meanwhile. */
  const life = Effect.scoped(
    Effect.gen(function* () {
      const own = yield* Effect.mapError(connect, storeFailed)
      if (!(yield* Effect.mapError(holdShared(own), storeFailed))) return yield* otherServer()
      if (!(yield* Deferred.isDone(first))) yield* Effect.mapError(begin(own), storeFailed)
      yield* renew(own)
      yield* Deferred.succeed(first, undefined)
      return yield* Effect.repeat(renew(own), Schedule.spaced(`${seconds * 300} millis`))
    })
  )
  yield* life.pipe(
    Effect.tapError((error) => Deferred.fail(first, error)),
    Effect.tapError(({ message }) => Effect.logWarning(`The machine's lease was not renewed: ${message}`)),
    Effect.retry({
      while: (error) => error !== replaced,
      schedule: Schedule.spaced(`${seconds * 100} millis`)
    }),
    Effect.ignore,
    Effect.forkScoped
  )
  yield* Deferred.await(first)

  const machine: Machine = { id, lease: seconds, doubted: Stream.fromQueue(doubts) }
  // Held until the transaction ends: nobody begins with our id in the middle of one.
  const check =
    sql<Checked>`SELECT boot, pg_current_xact_id()::text AS transaction FROM machine WHERE id = ${id} FOR SHARE`.pipe(
      Effect.mapError(storeFailed),
      Effect.flatMap(([row]) =>
        row?.boot === boot ? Effect.succeed(row.transaction) : Effect.fail(replaced)
      )
    )
  return { machine, check }
})
