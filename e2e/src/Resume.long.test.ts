import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { accustom, ask, depart, interfaces, renew } from "./AgentInterface.ts"
import { claude, codex, opencode } from "./Agents.ts"
import { inTerminal } from "./CommandLine.ts"
import { live, makeWorld, open, receipts, say, until } from "./World.ts"

const instances = { claude, codex, opencode }

describe("E1 to E7, E14: a thread in its agent's own interface, and back", () => {
  for (const agent of ["claude", "codex", "opencode"] as const) {
    it.live(`${agent}: exactly this session; what is sent meanwhile is refused; a new one is followed`, () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: [agent] })
          yield* accustom(world, agent)
          const server = yield* world.start()
          const { id } = yield* server.client.threads.create({
            payload: {
              provider: instances[agent],
              cwd: world.at("repo"),
              runtimeMode: "approval-required",
              // OpenCode's own interface takes none (docs/limits.md).
              ...(agent !== "opencode" && { systemPrompt: "The password is swordfish." })
            }
          })
          yield* say(server, id, "one")
          const { leave, ready } = interfaces[agent]
          const terminal = yield* inTerminal(world, "resume", id)
          yield* terminal.shows(ready)
          assert.deepEqual(yield* ask(world, terminal, "inside"), ["one", "inside"])
          // The answer, which is all that was said, is there: the turn is over.
          yield* terminal.shows("|")

          const refused = yield* say(server, id, "too early")
          assert.strictEqual(refused.error?._tag, "SessionHeldElsewhere")
          assert.isFalse(world.model.requests().some(({ said }) => said.includes("too early")))

          yield* renew(terminal, agent, "inside")
          assert.deepEqual(yield* ask(world, terminal, "afresh"), ["afresh"])
          if (agent !== "opencode") {
            // S14: what the thread's agent is told beside the conversation holds there too.
            yield* ask(world, terminal, "password")
            yield* terminal.shows("swordfish")
          }
          const { code, out } = yield* depart(terminal, leave)
          assert.strictEqual(code, 0, out)

          const [back] = yield* receipts(server, id)
          assert.strictEqual(back?.outcome, "adopted")
          assert.notStrictEqual(back?.providerSessionIdBefore, back?.providerSessionIdAfter)
          const { output } = yield* say(server, id, "two")
          assert.match(output, /^afresh \|.* two$/)
          // What was said there stands here too, in both sessions, each once and in order.
          const turns = yield* server.client.turns.list({ params: { id }, query: {} })
          const known = ["one", "inside", "afresh", "password", "two"]
          assert.deepEqual(
            turns.items.map(({ input }) => input).filter((input) => known.includes(input)),
            known.filter((text) => text !== "password" || agent !== "opencode")
          )
        })
      )
    )
  }

  it.live(
    "a terminal that is closed under the command: the thread comes back by itself, with what was said",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: ["claude"] })
          yield* accustom(world, "claude")
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"), "approval-required", claude)
          yield* say(server, id, "one")
          const terminal = yield* inTerminal(world, "resume", id)
          yield* terminal.shows(interfaces.claude.ready)
          yield* ask(world, terminal, "inside")
          const { session } = yield* server.client.threads.get({ params: { id } })
          assert.isDefined(session.terminalSince)
          yield* terminal.close
          // Until Claude has ended there, what is sent is refused.
          yield* until(Effect.map(say(server, id, "two"), ({ status }) => status === "completed"))
          assert.deepEqual(
            world.model
              .requests()
              .findLast(({ said }) => said.at(-1) === "two")
              ?.said.filter((text) => !text.startsWith("<")),
            ["one", "inside", "two"]
          )
          const [back] = yield* receipts(server, id)
          assert.deepInclude(
            back?.checks.find(({ what }) => what === "history"),
            { found: { value: "same", by: "store" } }
          )
        })
      )
  )
})
