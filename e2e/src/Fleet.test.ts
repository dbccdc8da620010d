import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { claude, codex, opencode } from "./Agents.ts"
import { event, live, makeWorld, open, receipts, say, send, settled, until } from "./World.ts"

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

  it.live(
    "GET /providers and the log tell of each agent: found where, which version, usable or why not",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: ["opencode", "codex", "claude"] })
          const missing = { id: "gone", driver: "codex", binary: world.at("no-such-program") }
          yield* world.fs.writeFileString(world.at("old-claude"), "#!/bin/sh\necho '2.1.100 (Claude Code)'\n")
          yield* world.fs.chmod(world.at("old-claude"), 0o755)
          const old = { id: "old", driver: "claude", binary: world.at("old-claude") }
          yield* world.configure({ providers: [...world.providers, missing, old] })
          const server = yield* world.start()
          const { items } = yield* server.client.providers.list({})
          const told = items.map(({ authenticated, id, status, supported, version }) => ({
            id,
            status,
            version,
            supported,
            authenticated
          }))
          const ready = { status: "ready", supported: true }
          const unusable = { status: "unusable", supported: false, authenticated: null }
          assert.deepEqual<unknown>(told, [
            { id: "opencode", ...ready, version: "1.18.33", authenticated: null },
            { id: "codex", ...ready, version: "0.169.0", authenticated: true },
            { id: "claude", ...ready, version: "2.1.329", authenticated: true },
            { id: "gone", ...unusable, version: null },
            { id: "old", ...unusable, version: "2.1.100" }
          ])
          assert.include(items[3]?.reason, "is not installed")
          assert.include(items[4]?.reason, "is not supported: this adapter knows 2.1.329 and later 2.x")
          assert.include(items[1]?.program, "codex")
          const logs = yield* world.fs.readDirectory(`${world.home}/logs`)
          const read = world.fs.readFileString(`${world.home}/logs/${logs[0]}`)
          yield* until(Effect.map(read, (log) => items.every(({ id }) => log.includes(`"${id}"`))))
          const log = yield* read
          assert.notInclude(log, "ANTHROPIC_API_KEY")
        })
      )
  )
})
