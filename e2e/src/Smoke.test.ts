import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { claude, codex } from "./Agents.ts"
import { event, live, makeWorld, open, receipts, say, send, settled } from "./World.ts"

describe.each([codex, claude])("%s", (provider) => {
  it.live("smoke", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld({ agents: [provider === codex ? "codex" : "claude"] })
        const server = yield* world.start()
        console.log(JSON.stringify((yield* server.client.providers.list({})).items))
        const id = yield* open(server, world.at("repo"), "full-access", provider)
        const t = yield* say(server, id, "my name is Ada")
        console.log(JSON.stringify(t))
        console.log(JSON.stringify((yield* receipts(server, id))[0]))
        console.log(JSON.stringify(yield* say(server, id, "run pwd")))
        yield* server.client.sessions.stop({ params: { id } })
        console.log(JSON.stringify(yield* say(server, id, "two")))
        console.log(JSON.stringify(yield* say(server, id, "think deeply")))
        console.log(JSON.stringify(yield* say(server, id, "write a.txt hello")))
        const { items } = yield* server.client.threads.items({ params: { id }, query: {} })
        for (const i of items) console.log(JSON.stringify(i))
        const moved = yield* server.client.sessions.move({ params: { id }, payload: { cwd: world.at("tree") } })
        console.log(JSON.stringify(moved))
        console.log(JSON.stringify(yield* say(server, id, "run pwd")))
        yield* server.kill
        const second = yield* world.start()
        console.log(JSON.stringify(yield* say(second, id, "three")))
      })
    )
  )
})
