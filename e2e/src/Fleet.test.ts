import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { live, makeWorld, until } from "./World.ts"

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
})
