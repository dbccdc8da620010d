import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { claude, codex, opencode } from "./Agents.ts"
import { event, live, makeWorld, open, receipts, say, send, settled } from "./World.ts"

const providers = [opencode, codex, claude]

describe("one server, three agents", () => {
  it.live(
    "C22, N8: 30 threads in 30 worktrees, kill -9 of the server in the middle: 30 right answers in 30 right directories",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: ["opencode", "codex", "claude"] })
          const trees = Array.from({ length: 30 }, (_, i) => world.at(`tree-${i}`))
          yield* Effect.forEach(trees, (tree) =>
            world.git(world.at("repo"), "worktree", "add", "-q", "--detach", tree)
          )
          const server = yield* world.start()
          const threads = yield* Effect.forEach(trees, (cwd, i) =>
            Effect.map(open(server, cwd, "full-access", providers[i % 3]), (id) => ({
              id,
              cwd,
              name: `I am ${i}`
            }))
          )
          // Mixed turns: a fact, and on every second thread one that is cut off by the kill.
          yield* Effect.forEach(threads, ({ id, name }) => say(server, id, name), { concurrency: 6 })
          const cut = yield* Effect.forEach(
            threads.filter((_, i) => i % 2 === 0),
            ({ id }) =>
              Effect.gen(function* () {
                const turn = yield* send(server, id, "hold on")
                yield* event(server, id, "turn.started", ({ turnId }) => turnId === turn.id)
                return { id, turn }
              }),
            { concurrency: 6 }
          )
          yield* server.kill

          const again = yield* world.start()
          for (const { id, turn } of cut) {
            assert.strictEqual((yield* settled(again, id, turn.id)).status, "interrupted")
          }
          yield* Effect.forEach(
            threads,
            ({ cwd, id, name }) =>
              Effect.gen(function* () {
                const where = yield* say(again, id, "run pwd")
                assert.include(where.output, cwd)
                const who = yield* say(again, id, `who am I, thread ${id}`)
                assert.strictEqual(who.status, "completed")
                const [receipt] = yield* receipts(again, id)
                assert.deepInclude({ ...receipt }, { outcome: "adopted", cwdVerified: cwd })
                // What the model received, not what we say that we sent.
                const asked = world.model
                  .requests()
                  .filter(({ said }) => said.at(-1) === `who am I, thread ${id}`)
                assert.lengthOf(asked, 1)
                const said = asked[0]?.said ?? []
                assert.strictEqual(said[0], name)
                assert.lengthOf(
                  said.filter((text) => text.startsWith("I am ")),
                  1
                )
              }),
            { concurrency: 6 }
          )
        })
      )
  )
})
