import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { copied, makeCluster } from "./Cluster.ts"
import { event, live, makeWorld, open, receipts, say, send, settled } from "./World.ts"

const door = (url: string, headers: Record<string, string> = {}) =>
  Effect.promise(() => fetch(`${url}/cluster`, { headers })).pipe(Effect.map(({ status }) => status))

describe("M: several servers on one PostgreSQL, with the real OpenCode", () => {
  it.live(
    "M2, M3: any server answers for any thread, by the machine that runs it; strangers are kept out",
    () =>
      live(
        Effect.gen(function* () {
          const [one, two] = [yield* makeWorld(), yield* makeWorld()]
          const cluster = yield* makeCluster([one, two])
          const a = yield* cluster.start(one)
          const b = yield* cluster.start(two)
          const id = yield* open(a, one.at("repo"), "approval-required")
          assert.include((yield* say(a, id, "one")).output, "one")
          const followed = yield* say(b, id, "two")
          assert.strictEqual(followed.status, "completed")
          assert.isTrue(one.model.requests().some((request) => JSON.stringify(request).includes("two")))
          assert.lengthOf(two.model.requests(), 0)
          const params = { id }

          // What only the machine can do that has the session is done there, whoever is asked.
          const asking = yield* send(b, id, "run touch made")
          yield* event(b, id, "request.opened")
          const seen = yield* b.client.threads.get({ params })
          assert.strictEqual(seen.session.state, "waiting")
          const { items } = yield* b.client.threads.requests({ params })
          const requestId = items[0]?.id ?? ""
          yield* b.client.threads.answer({
            params: { id, requestId },
            payload: { decision: "accept" }
          })
          assert.strictEqual((yield* settled(b, id, asking.id)).status, "completed")
          yield* one.fs.access(one.at("repo/made"))
          const missing = yield* Effect.flip(
            b.client.threads.answer({ params: { id, requestId }, payload: { decision: "accept" } })
          )
          assert.strictEqual(missing._tag, "RequestNotFound")

          const held = yield* send(b, id, "hold")
          yield* event(b, id, "turn.started", ({ turnId }) => turnId === held.id)
          yield* b.client.sessions.interrupt({ params })
          assert.strictEqual((yield* settled(b, id, held.id)).status, "interrupted")
          const fork = yield* b.client.sessions.fork({ params, payload: {} })
          assert.include((yield* say(b, fork.id, "three")).output, "two")
          assert.lengthOf(two.model.requests(), 0)

          const { items: runners } = yield* b.client.runners.list()
          assert.deepEqual(
            runners.map(({ status, threads }) => ({ status, threads })),
            [
              { status: "up", threads: 0 },
              { status: "up", threads: 2 }
            ]
          )

          assert.strictEqual(yield* door(a.url), 401)
          assert.strictEqual(yield* door(a.url, { authorization: "Bearer another" }), 401)
          assert.strictEqual(yield* door(a.url, { authorization: `Bearer ${a.token}` }), 401)
        })
      )
  )

  it.live(
    "M4: a machine that is killed in mid-turn: its turn is interrupted, and the conversation goes on elsewhere from our copy",
    () =>
      live(
        Effect.gen(function* () {
          const [one, two] = [yield* makeWorld(), yield* makeWorld()]
          const cluster = yield* makeCluster([one, two])
          const a = yield* cluster.start(one)
          const b = yield* cluster.start(two)
          const id = yield* open(a, one.at("repo"))
          const said = yield* say(a, id, "remember the word quince")
          yield* copied(b, id, said.id)
          const held = yield* send(a, id, "hold")
          yield* event(b, id, "turn.started", ({ turnId }) => turnId === held.id)
          yield* a.kill
          const killed = yield* Clock.currentTimeMillis
          const answered = yield* say(b, id, "which word?")
          const seconds = ((yield* Clock.currentTimeMillis) - killed) / 1000
          assert.strictEqual(answered.status, "completed")
          // A lease, and another one of who has just begun.
          assert.isBelow(seconds, 45)
          const interrupted = yield* b.client.turns.get({ params: { id, turnId: held.id }, query: {} })
          assert.strictEqual(interrupted.status, "interrupted")
          assert.strictEqual((yield* receipts(b, id))[0]?.outcome, "rehydrated")
          assert.isTrue(two.model.requests().some((request) => JSON.stringify(request).includes("quince")))
          const { items: runners } = yield* b.client.runners.list()
          assert.deepEqual(
            runners.map(({ status }) => status),
            ["up", "away"]
          )
          // It is back, and has nothing of it: what is asked there is answered where the thread is now.
          const again = yield* cluster.start(one)
          const asked = one.model.requests().length
          assert.include((yield* say(again, id, "and now?")).output, "and now?")
          assert.lengthOf(one.model.requests(), asked)
        })
      )
  )
})
