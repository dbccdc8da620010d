import type { PgClient } from "@effect/sql-pg"
import { DataDirectoryHeld, StoreFailed } from "@rejoin/contracts/Errors"
import { Deferred, Effect, Fiber, Schedule, type Scope } from "effect"
import type { SqlError } from "effect/sql"
import { randomUUID } from "node:crypto"
import { storeFailed } from "./StoreFailure.ts"
import { within } from "./Within.ts"

/** What is read in each transaction: whose the database is, and the transaction's own name. */
export interface Checked {
  readonly boot: string
  readonly transaction: string
}

/** One lock for each schema: who is here alone has it for itself, and several hold it together. */
const lock = (sql: PgClient.PgClient) => sql`hashtext(current_schema()), 4319`

const holdForItself = (sql: PgClient.PgClient) =>
  Effect.map(
    sql<{ held: boolean }>`SELECT pg_try_advisory_lock(${lock(sql)}) AS held`,
    ([row]) => row?.held === true
  )

/** As one of several: false where a server is here alone. */
export const holdShared = (sql: PgClient.PgClient) =>
  Effect.map(
    sql<{ held: boolean }>`SELECT pg_try_advisory_lock_shared(${lock(sql)}) AS held`,
    ([row]) => row?.held === true
  )

export const otherServer = () =>
  new DataDirectoryHeld({
    directory: "PostgreSQL",
    pid: null,
    url: null,
    message: "Another server works on this database.",
    hint: "Stop that one, or give this one a database of its own."
  })

const silent = new StoreFailed({ message: "The database has not answered within 10 seconds.", away: true })

const replaced = new StoreFailed({
  message: "Another server has taken this database over: nothing more is written here.",
  hint: "Stop one of the two. This one has to be started again to have it."
})

/**
 * Takes the database for this server until the scope ends, and returns what has to pass in every transaction.
 *
 * The lock is its connection's, and goes with it: when the database restarts, whoever comes first has it next. So what is
 * written counts only where the row still names us, and that is held until the transaction ends: nobody takes over in
 * the middle of one. `connect` makes one connection, which lasts as long as its scope; `prepare` is done once the lock is
 * ours, and before anybody is told.
 */
export const holdAlone = Effect.fn("holdAlone")(function* (
  sql: PgClient.PgClient,
  connect: Effect.Effect<PgClient.PgClient, SqlError.SqlError, Scope.Scope>,
  prepare: Effect.Effect<void, StoreFailed | SqlError.SqlError>,
  /** Which machine it is, where that is known. */
  machine: string | null = null
) {
  const boot = randomUUID()
  const first = yield* Deferred.make<void, StoreFailed | DataDirectoryHeld>()

  let isHeld = false
  let told = ""

  /** As long as a connection lasts. */
  const life = Effect.scoped(
    Effect.gen(function* () {
      const own = yield* connect
      if (!(yield* holdForItself(own))) return yield* otherServer()
      // The database takes the lock from who is silent: also while there is much to prepare.
      const beat = within("10 seconds", () => silent)(own`SELECT 1`)
      const beating = yield* Effect.forkScoped(Effect.repeat(beat, Schedule.spaced("2 seconds")))
      const isFirst = !(yield* Deferred.isDone(first))
      if (isFirst) yield* prepare
      // Those who were here together and lost their locks write nothing more.
      if (isFirst) yield* own`UPDATE machine SET boot = ''`
      const named = isFirst
        ? yield* own`UPDATE server SET boot = ${boot}, machine = ${machine} RETURNING boot`
        : yield* own`SELECT boot FROM server WHERE boot = ${boot}`
      if (named.length === 0) return yield* replaced
      yield* Deferred.succeed(first, undefined)
      isHeld = true
      return yield* Fiber.join(beating)
    })
  )
  yield* life.pipe(
    Effect.mapError((error) => (error._tag === "SqlError" ? storeFailed(error) : error)),
    Effect.tapError((error) => Deferred.fail(first, error)),
    Effect.tapError(({ message }) => {
      // A start that is refused has lost nothing.
      const isNews = isHeld && message !== told
      told = message
      return isNews ? Effect.logWarning(`The lock on the database is lost: ${message}`) : Effect.void
    }),
    // Where another has it, it may end; where that has written, there is no way back.
    Effect.retry({
      while: (error) => error !== replaced,
      schedule: Schedule.spaced("2 seconds")
    }),
    Effect.ignore,
    Effect.forkScoped
  )
  yield* Deferred.await(first)

  return sql<Checked>`SELECT boot, pg_current_xact_id()::text AS transaction FROM server FOR SHARE`.pipe(
    Effect.mapError(storeFailed),
    Effect.flatMap(([row]) => (row?.boot === boot ? Effect.succeed(row.transaction) : Effect.fail(replaced)))
  )
})
