import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schedule, Stream } from "effect"
import { copied, makeCluster } from "./Cluster.ts"
import { event, live, makeWorld, open, receipts, say, send, type Server, settled } from "./World.ts"

/** What follows is tried again while a server, or the database, does not answer. */
const patiently = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.retry(effect, { schedule: Schedule.spaced("200 millis"), times: 300 })

const signal = ({ pid }: Server, name: "SIGSTOP" | "SIGCONT") => Effect.sync(() => process.kill(pid, name))

describe("M: several servers, and what befalls them, with the real OpenCode", () => {
  it.live(
    "M5: one that was frozen in mid-turn, while another took over, writes nothing when it is back",
    () =>
      live(
        Effect.gen(function* () {
          const [one, two] = [yield* makeWorld(), yield* makeWorld()]
          const cluster = yield* makeCluster([one, two])
          const a = yield* cluster.start(one)
          const b = yield* cluster.start(two)
          const id = yield* open(a, one.at("repo"))
          const { id: first } = yield* say(a, id, "one")
          yield* copied(b, id, first)
          const held = yield* send(a, id, "hold")
          yield* event(b, id, "turn.started", ({ turnId }) => turnId === held.id)
          yield* signal(a, "SIGSTOP")
          const answered = yield* say(b, id, "two")
          assert.strictEqual(answered.status, "completed")
          const { generation, lastSeq } = yield* b.client.threads.get({ params: { id } })
          yield* signal(a, "SIGCONT")
          // It answers again, and has ended its session.
          yield* patiently(a.client.threads.get({ params: { id } }))
          const ended = Effect.map(b.client.runners.list(), ({ items }) => items.map(({ status }) => status))
          yield* Effect.repeat(ended, {
            until: (states) => states.every((state) => state === "up"),
            schedule: Schedule.spaced("100 millis")
          })
          assert.strictEqual((yield* say(a, id, "three")).status, "completed")
          const events = yield* b.client.follow(id, 0).pipe(
            Stream.takeUntil(
              ({ data, type }) => type === "turn.accepted" && JSON.stringify(data).includes("three")
            ),
            Stream.runCollect
          )
          const late = events.filter((event) => event.seq > lastSeq && event.generation < generation)
          assert.deepEqual(late, [])
          assert.lengthOf(
            (yield* receipts(b, id)).filter(({ outcome }) => outcome === "rehydrated"),
            1
          )
          const { items: turns } = yield* b.client.turns.list({ params: { id }, query: {} })
          assert.deepEqual(
            turns.map(({ status }) => status),
            ["completed", "interrupted", "completed", "completed"]
          )
        })
      )
  )

  it.live("one that is drained for good: its threads go on elsewhere, visibly", () =>
    live(
      Effect.gen(function* () {
        const [one, two] = [yield* makeWorld(), yield* makeWorld()]
        const cluster = yield* makeCluster([one, two])
        const a = yield* cluster.start(one)
        const b = yield* cluster.start(two)
        const id = yield* open(a, one.at("repo"))
        yield* say(a, id, "remember the word quince")
        const { client } = a
        assert.deepEqual(yield* client.runners.drain({ payload: { handOver: true } }), {
          running: 0,
          handedOver: 1
        })
        const { status } = yield* Effect.promise(() => fetch(`${a.url}/api/ready`))
        assert.strictEqual(status, 503)
        // It still takes what is sent, for the other to run.
        const answered = yield* say(a, id, "which word?")
        assert.strictEqual(answered.status, "completed")
        assert.isTrue(two.model.requests().some(({ said }) => said.join().includes("quince")))
        assert.strictEqual((yield* receipts(b, id))[0]?.outcome, "rehydrated")
        yield* a.stop
        assert.strictEqual((yield* say(b, id, "and now?")).status, "completed")
      })
    )
  )

  it.live(
    "M3, M6, M7: three under load: each restarted, and the database too; nothing is lost, doubled or moved",
    () =>
      live(
        Effect.gen(function* () {
          const worlds = yield* Effect.forEach([0, 1, 2], () => makeWorld())
          const cluster = yield* makeCluster(worlds)
          const servers = yield* Effect.forEach(worlds, (world) => cluster.start(world))
          const threads = yield* Effect.forEach(servers, (server, at) =>
            open(server, worlds[at]?.at("repo") ?? "")
          )
          // One reader hears of everything, over all restarts of the others.
          const [first] = servers
          if (first === undefined) return
          const rounds = 20
          const working = yield* Effect.forEach(threads, (id, at) =>
            Effect.forEach(Array.from({ length: rounds }), (_, round) =>
              Effect.gen(function* () {
                const input = `say ${at}-${round}`
                // Another server each time; whoever is down is not asked again, another one is.
                let next = at + round
                const sent = yield* patiently(
                  Effect.suspend(() =>
                    servers[next++ % 3]!.client.turns.send({
                      params: { id },
                      payload: { input, idempotencyKey: input }
                    })
                  )
                )
                const turn = yield* patiently(
                  Effect.suspend(() => settled(servers[next++ % 3]!, id, sent.id))
                )
                return turn.status
              })
            ).pipe(Effect.forkChild)
          )
          for (const [at, world] of worlds.entries()) {
            const server = servers[at]!
            const other = servers[(at + 1) % 3]!
            const id = yield* open(server, world.at("repo"))
            const long = yield* send(server, id, "run sleep 2 && touch drained")
            yield* event(other, id, "item.started", ({ turnId }) => turnId === long.id)
            yield* server.stop
            // It was let go on, to its end.
            assert.strictEqual((yield* settled(other, id, long.id)).status, "completed")
            yield* world.fs.access(world.at("repo/drained"))
            servers[at] = yield* cluster.start(world)
          }
          yield* Effect.promise(() => cluster.database.stop())
          yield* Effect.promise(() => cluster.database.start())
          const statuses = yield* Effect.forEach(working, Fiber.join)
          for (const [at, id] of threads.entries()) {
            const { items: turns } = yield* patiently(
              servers[0]!.client.turns.list({ params: { id }, query: {} })
            )
            assert.deepEqual(
              turns.filter(({ continues }) => continues === undefined).map(({ input }) => input),
              Array.from({ length: rounds }, (_, round) => `say ${at}-${round}`)
            )
            assert.deepEqual(
              statuses[at],
              Array.from({ length: rounds }, () => "completed")
            )
            const outcomes = (yield* receipts(servers[1]!, id)).map(({ outcome }) => outcome)
            assert.notInclude(outcomes, "rehydrated")
            assert.notInclude(outcomes, "replaced")
            for (let round = 0; round < rounds; round++) {
              const asked = worlds.flatMap(({ model }) =>
                model.requests().filter(({ said }) => said.at(-1) === `say ${at}-${round}`)
              )
              assert.isAtMost(asked.length, 1, `say ${at}-${round}`)
            }
          }
        })
      )
  )
})
