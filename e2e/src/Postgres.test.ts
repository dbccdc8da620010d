import { assert, describe, it } from "@effect/vitest"
import { makePostgresServer } from "@rejoin/testkit/PostgresServer"
import { Effect, Exit, Option, Schedule } from "effect"
import { rejoin } from "./CommandLine.ts"
import { event, live, makeWorld, open, say, send, type Server, settled } from "./World.ts"

const postgres = Effect.acquireRelease(
  Effect.promise(() => makePostgresServer()),
  (server) => Effect.promise(async () => server?.remove())
)

describe("M1: the server on PostgreSQL, by its address alone", () => {
  it.live(
    "turns, a search, a kill -9 in mid-turn, a restart of the database; a second server is refused",
    () =>
      live(
        Effect.gen(function* () {
          const database = yield* postgres
          if (database === undefined) return assert.fail("there is no PostgreSQL for this system")
          const url = { REJOIN_DATABASE_URL: database.url }
          const world = yield* makeWorld()
          const server = yield* world.start(url)
          const id = yield* open(server, world.at("repo"))
          const { output } = yield* say(server, id, "one")
          assert.include(output, "one")
          const before = yield* server.client.threads.get({ params: { id } })

          const other = yield* makeWorld()
          const second = yield* Effect.exit(other.start(url))
          assert.isTrue(Exit.isFailure(second))
          assert.include(String(second), "the server ended with")

          const found = yield* server.client.search.search({ query: { q: "one" } })
          assert.isAbove(found.items.length, 0)

          const running = yield* send(server, id, "hold")
          yield* event(server, id, "turn.started", ({ turnId }) => turnId === running.id)
          yield* server.kill
          // Without its address the server does not begin anew on an empty file.
          const without = yield* Effect.exit(world.start())
          assert.include(String(without), "the server ended with 1")
          const again = yield* world.start(url)
          const interrupted = yield* again.client.turns.get({
            params: { id, turnId: running.id },
            query: {}
          })
          assert.strictEqual(interrupted.status, "interrupted")
          const after = yield* say(again, id, "two")
          assert.strictEqual(after.status, "completed")
          const thread = yield* again.client.threads.get({ params: { id } })
          assert.strictEqual(thread.session.providerSessionId, before.session.providerSessionId)

          // M6. Away while a turn runs, and back: nothing of it is lost; what is sent meanwhile is refused.
          const work = "sleep 3 && touch ended"
          const working = yield* send(again, id, `run ${work}`)
          yield* event(again, id, "item.started", ({ turnId }) => turnId === working.id)
          yield* Effect.promise(() => database.stop("immediate"))
          const refused = yield* Effect.exit(send(again, id, "three"))
          assert.strictEqual(Option.getOrUndefined(Exit.findErrorOption(refused))?._tag, "StoreUnavailable")
          const ready = (server: Server) =>
            Effect.map(
              Effect.promise(() => fetch(`${server.url}/api/ready`)),
              ({ status }) => status
            )
          assert.strictEqual(yield* ready(again), 503)
          // It ends while nothing of it can be written.
          yield* world.fs.access(world.at("repo/ended")).pipe(Effect.retry(Schedule.spaced("50 millis")))
          yield* Effect.promise(() => database.start())
          const done = yield* settled(again, id, working.id).pipe(Effect.retry(Schedule.spaced("200 millis")))
          assert.strictEqual(done.status, "completed")
          const { items: told } = yield* again.client.threads.items({ params: { id }, query: {} })
          assert.isTrue(told.some(({ command, status }) => command === work && status === "completed"))
          assert.strictEqual(yield* ready(again), 200)
          const three = yield* say(again, id, "three")
          assert.strictEqual(three.status, "completed")
          const { items } = yield* again.client.turns.list({ params: { id }, query: {} })
          assert.deepEqual(
            items.map(({ input }) => input),
            ["one", "hold", "two", `run ${work}`, "three"]
          )

          // N7. The doctor looks into it too, while the server works and where nobody answers.
          const doctor = (address: string) =>
            Effect.map(
              rejoin(
                {
                  ...world,
                  environment: {
                    ...world.environment,
                    REJOIN_ROOTS: world.root,
                    REJOIN_DATABASE_URL: address
                  }
                },
                "doctor",
                "--json"
              ),
              ({ out }) =>
                JSON.parse(out) as { threads: number; findings: ReadonlyArray<{ message: string }> }
            )
          assert.deepInclude(yield* doctor(database.url), { threads: 1, findings: [] })
          const nobody = yield* doctor("postgres://rejoin@127.0.0.1:1/rejoin")
          assert.include(nobody.findings[0]?.message, "ECONNREFUSED")
        })
      )
  )
})
