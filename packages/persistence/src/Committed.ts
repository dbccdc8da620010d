import { Effect, Schedule } from "effect"
import type { SqlClient } from "effect/sql"

/** For so long it is asked what became of a transaction; whoever waits for its answer waits too. */
const longest = "20 seconds"

/**
 * Whether a transaction was committed whose answer was lost with its connection: the database keeps that of all that are not
 * long ago. False where it was not, and where nobody answers in time.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SNAPSHOT
 */
export const wasCommitted = (sql: SqlClient.SqlClient, transaction: string): Effect.Effect<boolean> =>
  sql<{ status: string | null }>`SELECT pg_xact_status(${transaction}::text::xid8) AS status`.pipe(
    Effect.retry(Schedule.spaced("200 millis")),
    // Until the database has noticed that its connection is gone.
    Effect.repeat({
      until: ([row]) => row?.status !== "in progress",
      schedule: Schedule.spaced("100 millis")
    }),
    Effect.map(([row]) => row?.status === "committed"),
    Effect.timeoutOrElse({ duration: longest, orElse: () => Effect.succeed(false) }),
    Effect.orElseSucceed(() => false)
  )
