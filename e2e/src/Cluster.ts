import { makePostgresServer } from "@rejoin/testkit/PostgresServer"
import { Effect, Schedule } from "effect"
import type { Server, World } from "./World.ts"

const postgres = Effect.acquireRelease(
  Effect.promise(() => makePostgresServer()),
  (server) => Effect.promise(async () => server?.remove())
)

/** Machines on one database, each with its own disk for us and for its agents, and trees that all of them have. */
export const makeCluster = Effect.fnUntraced(function* (worlds: ReadonlyArray<World>) {
  const database = yield* postgres
  if (database === undefined) return yield* Effect.die("there is no PostgreSQL for this system")
  const shared = {
    REJOIN_DATABASE_URL: database.url,
    REJOIN_CLUSTER_TOKEN: "a secret of this cluster",
    REJOIN_TOKEN: "one-token-for-all-of-their-users",
    REJOIN_ROOTS: worlds.map(({ root }) => root).join(":")
  }
  return {
    database,
    start: (world: World, extra: Record<string, string> = {}) => world.start({ ...shared, ...extra })
  }
})

/** Our copy goes to the end of this turn. */
export const copied = (server: Server, id: string, turnId: string) =>
  Effect.repeat(server.client.threads.get({ params: { id } }), {
    until: ({ transcript }) => transcript?.upToTurnId === turnId,
    schedule: Schedule.spaced("100 millis")
  })
