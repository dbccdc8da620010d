import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { instanceOf, instances } from "./Agents.ts"
import { foreignServer } from "./OpenCodeApi.ts"
import { live, makeWorld, open, receipts, say, until } from "./World.ts"

const homes = { opencode: "agent", codex: "codex", claude: "claude" } as const

/** About 20,000 tokens, which a person pastes. */
const pasted = Array.from({ length: 20_000 }, (_, i) => `w${(i * 7919) % 9973}`).join(" ")

/** Says little: what it answers is a part of the history too. */
const brief = { _tag: "Say", text: "heard" } as const

describe("N1, N2, W9: a conversation of 100,000 tokens and more is gone on from as any other", () => {
  for (const agent of ["opencode", "codex", "claude"] as const) {
    it.live(`${agent}: after a stop, and when its home was deleted`, () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: [agent], respond: () => brief })
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"), "full-access", instances[agent])
          for (let part = 0; part < 5; part++) {
            const turn = yield* say(server, id, `part ${part} ${pasted}`)
            assert.strictEqual(turn.status, "completed", JSON.stringify(turn.error))
          }
          yield* server.client.sessions.stop({ params: { id } })
          const next = yield* say(server, id, "after the stop")
          assert.strictEqual(next.status, "completed", JSON.stringify(next.error))
          yield* until(
            Effect.map(
              server.client.threads.get({ params: { id } }),
              ({ transcript }) => transcript?.upToTurnId === next.id
            )
          )
          yield* server.stop
          yield* world.fs.remove(world.at(homes[agent]), { recursive: true })
          yield* instanceOf(agent, world.root, world.model.origin)
          const again = yield* world.start()
          const last = yield* say(again, id, "after the loss")
          assert.strictEqual(last.status, "completed", JSON.stringify(last.error))
          const [receipt] = yield* receipts(again, id)
          assert.strictEqual(receipt?.outcome, "rehydrated")
          assert.isTrue(receipt?.restored?.whole)
        })
      )
    )
  }

  it.live("measured: where it is not asked to close the connection, OpenCode gives a long answer whole", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld({ respond: () => brief })
        const server = yield* world.start()
        const id = yield* open(server, world.at("repo"))
        for (let part = 0; part < 5; part++) yield* say(server, id, `part ${part} ${pasted}`)
        const { session } = yield* server.client.threads.get({ params: { id } })
        yield* server.stop
        const { url } = yield* foreignServer(world)
        for (let i = 0; i < 20; i++) {
          const whole = yield* Effect.promise(() =>
            fetch(`${url}/session/${session.providerSessionId}/message`)
              .then((answer) => answer.text())
              .then(
                (text) => text.length > 500_000,
                () => false
              )
          )
          assert.isTrue(whole)
        }
      })
    )
  )
})
