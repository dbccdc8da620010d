import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Agent, instanceOf, instances } from "./Agents.ts"
import { alter } from "./Altered.ts"
import { live, makeWorld, open, receipts, say, type Server, until, type World } from "./World.ts"

const homes: Readonly<Record<Agent, string>> = { opencode: "agent", codex: "codex", claude: "claude" }

/** What the model is told of its user's words, when it is asked this. */
const toldAt = Effect.fnUntraced(function* (world: World, server: Server, id: string, input: string) {
  const turn = yield* say(server, id, input)
  assert.strictEqual(turn.status, "completed", `${input}: ${JSON.stringify(turn.error)}`)
  const said = world.model.requests().findLast(({ said }) => said.at(-1) === input)?.said ?? []
  return { said, turnId: turn.id }
})

const sessionOf = (server: Server, id: string) =>
  Effect.map(server.client.threads.get({ params: { id } }), ({ session }) => session.providerSessionId ?? "")

describe("N2, W3, W10, W14: whatever became of a conversation, it comes back as it was", () => {
  for (const agent of ["opencode", "codex", "claude"] as const) {
    it.live(`${agent}: compacted, rewound, a fork of a fork, moved; then its whole home is deleted`, () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: [agent] })
          const first = yield* world.start()
          const begin = Effect.gen(function* () {
            const id = yield* open(first, world.at("repo"), "full-access", instances[agent])
            for (const input of ["one", "two", "three"]) yield* say(first, id, input)
            return id
          })
          const [compacted, rewound, moved] = [yield* begin, yield* begin, yield* begin]
          const turns = yield* first.client.turns.list({ params: { id: compacted }, query: {} })
          const fork = yield* first.client.sessions.fork({ params: { id: compacted }, payload: {} })
          yield* say(first, fork.id, "in the fork")
          const second = yield* first.client.sessions.fork({ params: { id: fork.id }, payload: {} })
          const atTurn = yield* first.client.sessions.fork({
            params: { id: compacted },
            payload: { turnId: turns.items[1]?.id ?? "" }
          })
          // A fork is written with its first message.
          yield* say(first, atTurn.id, "from there")
          yield* first.client.sessions.move({ params: { id: moved }, payload: { cwd: world.at("tree") } })
          // Claude compacts where it is told to in the conversation.
          if (agent === "claude") yield* say(first, compacted, "/compact")
          const [one, other] = [yield* sessionOf(first, compacted), yield* sessionOf(first, rewound)]
          yield* first.stop
          yield* alter(agent, world, one, other)
          const server = yield* world.start()
          const accepted = yield* server.client.sessions.acceptHistory({ params: { id: rewound } })
          assert.strictEqual(accepted.undone, 1)
          const threads = [compacted, rewound, fork.id, second.id, atTurn.id, moved]
          const known: Array<ReadonlyArray<string>> = []
          for (const [i, id] of threads.entries()) {
            const { said, turnId } = yield* toldAt(world, server, id, `what is known (${i})`)
            known.push(said)
            yield* until(
              Effect.map(
                server.client.threads.get({ params: { id } }),
                ({ transcript }) => transcript?.upToTurnId === turnId
              )
            )
          }
          assert.deepEqual(known[4], ["one", "two", "from there", "what is known (4)"])
          assert.notDeepEqual(known[0], ["one", "two", "three", "what is known (0)"], "it was compacted")
          yield* server.stop
          yield* world.fs.remove(world.at(homes[agent]), { recursive: true })
          yield* instanceOf(agent, world.root, world.model.origin)
          const again = yield* world.start()
          for (const [i, id] of threads.entries()) {
            const { said } = yield* toldAt(world, again, id, `and now (${i})`)
            assert.deepEqual(said, [...(known[i] ?? []), `and now (${i})`])
            const [receipt] = yield* receipts(again, id)
            assert.strictEqual(receipt?.outcome, "rehydrated")
            assert.isTrue(receipt?.restored?.whole)
          }
          assert.include((yield* say(again, moved, "run pwd")).output, world.at("tree"))
        })
      )
    )
  }
})
