import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { claude } from "./Agents.ts"
import { rejoin } from "./CommandLine.ts"
import { live, makeWorld, say, until } from "./World.ts"

describe("one server, three agents", () => {
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

  it.live("the models of each agent, as it calls them: no prompt is spent, and no session is made", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld({ agents: ["opencode", "codex", "claude"] })
        const server = yield* world.start()
        const { models, sessions } = server.client.providers
        const before = world.model.requests().length
        const known = { opencode: "test/scripted", codex: "gpt-6.1-sol", claude: "sonnet" }
        for (const [id, model] of Object.entries(known)) {
          const { items } = yield* models({ params: { id } })
          const found = items.find((one) => one.id === model)
          assert.isDefined(found, JSON.stringify(items))
          assert.isAbove(found?.name.length ?? 0, 0)
          assert.lengthOf(
            items.filter((one) => one.default === true),
            1,
            id
          )
          assert.isEmpty((yield* sessions({ params: { id }, query: {} })).items)
        }
        assert.strictEqual(world.model.requests().length, before)
        const [scripted] = (yield* models({ params: { id: "opencode" } })).items
        assert.strictEqual(scripted?.context, 128_000)
        const listed = yield* rejoin(world, "models", "-p", "claude")
        assert.match(listed.out, /claude +sonnet/)
        const nobody = yield* rejoin(world, "models", "-p", "nobody")
        assert.strictEqual(nobody.code, 1)
        // What it is called there is what a thread takes.
        const thread = yield* server.client.threads.create({
          payload: { provider: claude, cwd: world.at("repo"), model: "haiku" }
        })
        const turn = yield* say(server, thread.id, "hello")
        assert.strictEqual(turn.status, "completed", JSON.stringify(turn.error))
      })
    )
  )
})
