import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { accustom, ask, depart, interfaces, renew } from "./AgentInterface.ts"
import type { Agent } from "./Agents.ts"
import { inTerminal } from "./CommandLine.ts"
import { live, makeWorld, receipts, say, type Server, type World } from "./World.ts"

const opened = Effect.fnUntraced(function* (world: World, agent: Agent, ...flags: ReadonlyArray<string>) {
  const terminal = yield* inTerminal(world, "run", "-p", agent, "-C", world.at("repo"), ...flags)
  yield* terminal.shows(interfaces[agent].ready)
  return terminal
})

const threadsOf = (server: Server) =>
  Effect.map(server.client.threads.list({ query: {} }), ({ items }) => items)

const inputsOf = (server: Server, id: string) =>
  Effect.map(server.client.turns.list({ params: { id }, query: {} }), ({ items }) =>
    items.map(({ elsewhere, input }) => [input, elsewhere === true])
  )

describe("I5, E4 to E15: a new conversation in its agent's own interface is a thread", () => {
  for (const agent of ["claude", "codex", "opencode"] as const) {
    it.live(`${agent}: what was said there is its beginning, and goes on here`, () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: [agent] })
          yield* accustom(world, agent)
          const server = yield* world.start()
          const terminal = yield* opened(world, agent, "-m", "approval-required")
          yield* ask(world, terminal, "inside")
          yield* terminal.shows("inside")
          const [meanwhile] = yield* threadsOf(server)
          if (meanwhile === undefined) return assert.fail("it is a thread from its first moment")
          const refused = yield* say(server, meanwhile.id, "too early")
          assert.strictEqual(refused.error?._tag, "SessionHeldElsewhere")
          yield* ask(world, terminal, "inside again")
          yield* terminal.shows("|")
          const { code, out } = yield* depart(terminal, interfaces[agent].leave)
          assert.strictEqual(code, 0, out)

          const { id } = meanwhile
          assert.deepEqual(yield* inputsOf(server, id), [
            ["too early", false],
            ["inside", true],
            ["inside again", true]
          ])
          const [receipt] = yield* receipts(server, id)
          assert.strictEqual(receipt?.outcome, "adopted")
          assert.strictEqual(receipt?.runtimeModeVerified, "approval-required")
          assert.strictEqual((yield* say(server, id, "here")).output, "inside | inside again | here")

          // Left at once: no thread is kept.
          const empty = yield* opened(world, agent)
          const end = yield* depart(empty, interfaces[agent].leave)
          assert.strictEqual(end.code, 0, end.out)
          assert.include(end.out, "Nothing was said")
          assert.lengthOf(yield* threadsOf(server), 1)
        })
      )
    )

    it.live(`${agent}: two in one worktree at once, with hooks: each thread gets its own`, () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: [agent] })
          yield* accustom(world, agent)
          const server = yield* world.start()
          // Two that make OpenCode's store at once: one can hang for good (docs/providers/opencode.md).
          if (agent === "opencode") yield* depart(yield* opened(world, agent), interfaces[agent].leave)
          // OpenCode takes half a minute for one.
          for (let round = 0; round < (agent === "opencode" ? 1 : 3); round++) {
            const [one, other] = yield* Effect.all([opened(world, agent), opened(world, agent)], {
              concurrency: 2
            })
            yield* Effect.all([ask(world, one, `one ${round}`), ask(world, other, `other ${round}`)], {
              concurrency: 2
            })
            yield* Effect.all([one.shows(`one ${round}`), other.shows(`other ${round}`)])
            // A new one in the terminal is followed, and is not the other's.
            yield* renew(other, agent, `other ${round}`)
            yield* ask(world, other, `afresh ${round}`)
            yield* other.shows(`afresh ${round}`)
            yield* Effect.all([depart(one, interfaces[agent].leave), depart(other, interfaces[agent].leave)])
            const [newest, before] = yield* threadsOf(server)
            const said = [
              yield* inputsOf(server, newest?.id ?? ""),
              yield* inputsOf(server, before?.id ?? "")
            ]
            // Claude keeps the command by which it was begun.
            const begun = agent === "claude" ? [["/clear", true]] : []
            const afresh = [...begun, [`afresh ${round}`, true]]
            assert.sameDeepMembers(said, [afresh, [[`one ${round}`, true]]])
          }
        })
      )
    )

    it.live(`${agent}: without hooks: one is found; two at once are never crossed`, () =>
      live(
        Effect.gen(function* () {
          const config = { injectAgentNotificationHooks: false }
          const world = yield* makeWorld({ agents: [agent], config })
          yield* accustom(world, agent)
          const server = yield* world.start()
          const alone = yield* opened(world, agent)
          yield* ask(world, alone, "alone")
          yield* alone.shows("alone")
          yield* depart(alone, interfaces[agent].leave)
          const [first] = yield* threadsOf(server)
          assert.deepEqual(yield* inputsOf(server, first?.id ?? ""), [["alone", true]])

          const [one, other] = yield* Effect.all([opened(world, agent), opened(world, agent)], {
            concurrency: 2
          })
          yield* Effect.all([ask(world, one, "one"), ask(world, other, "other")], { concurrency: 2 })
          yield* Effect.all([one.shows("one"), other.shows("other")])
          const ends = yield* Effect.all([
            depart(one, interfaces[agent].leave),
            depart(other, interfaces[agent].leave)
          ])
          const threads = (yield* threadsOf(server)).filter(({ id }) => id !== first?.id)
          const said = yield* Effect.forEach(threads, ({ id }) => inputsOf(server, id))
          // Claude is given its id; of the others' nothing is claimed, and that is said.
          if (agent === "claude") assert.sameDeepMembers([...said], [[["one", true]], [["other", true]]])
          else {
            assert.deepEqual(said, [[], []])
            for (const { out } of ends) assert.include(out.replace(/\s+/g, " "), "is not told")
          }
        })
      )
    )
  }
})
