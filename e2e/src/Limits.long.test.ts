import { assert, describe, it } from "@effect/vitest"
import { rowsOf } from "@rejoin/agent-kit/OwnDatabase"
import { timestampOf } from "@rejoin/contracts/Time"
import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { Clock, Effect } from "effect"
import { type Agent, instances } from "./Agents.ts"
import { limitedModel, refusingModel, scopes, withSubscription } from "./Limits.ts"
import { event, live, makeWorld, open, say, type Server, settled, until, type World } from "./World.ts"

const turnsOf = (server: Server, id: string) =>
  Effect.map(server.client.turns.list({ params: { id }, query: {} }), ({ items }) => items)

const limited = Effect.fnUntraced(function* (agent: Agent, config: Record<string, unknown>) {
  const world = yield* makeWorld({ agents: [agent], respond: limitedModel(agent), config })
  if (agent === "claude") yield* withSubscription(world, config)
  return world
})

/** The message as the model last had it: all that was said, oldest first. */
const lastSaid = (world: World) => world.model.requests().at(-1)?.said ?? []
const times = (said: ReadonlyArray<string>, text: string) =>
  said.flatMap((one) => one.split("\n")).filter((line) => line.includes(text)).length

const waiting = (server: Server, id: string) =>
  Effect.gen(function* () {
    const turn = (yield* turnsOf(server, id)).find(({ status }) => status === "deferred")
    return turn ?? (yield* Effect.die("no turn waits for its time"))
  })

const agents = ["opencode", "codex", "claude"] as const

describe("U1: a usage limit", () => {
  for (const agent of agents) {
    it.live(
      `${agent}: ends the turn at once, by itself, with its name and its end; what comes next is said as ever`,
      () =>
        live(
          Effect.gen(function* () {
            const world = yield* limited(agent, { timeouts: { retrySeconds: 5 } })
            const server = yield* world.start()
            const id = yield* open(server, world.at("repo"), "full-access", instances[agent])
            yield* say(server, id, "one")
            for (const seconds of [3600, 86_400]) {
              const before = yield* Clock.currentTimeMillis
              const turn = yield* say(server, id, `limit ${seconds}`)
              assert.strictEqual(turn.status, "failed")
              assert.deepInclude(turn.error, { _tag: "UsageLimited", scope: scopes[agent] })
              const resetsAt = Date.parse(String(turn.error?.["resetsAt"]))
              assert.closeTo(resetsAt, before + seconds * 1000, 20_000)
            }
            assert.isEmpty((yield* turnsOf(server, id)).filter(({ status }) => status === "deferred"))
            const [info] = (yield* server.client.providers.list()).items
            const reached = info?.limits?.windows.find(({ scope }) => scope === scopes[agent])
            assert.strictEqual(reached?.used, 1)
            if (agent !== "opencode") {
              const other = info?.limits?.windows.find(({ scope }) => scope !== scopes[agent])
              assert.closeTo(other?.used ?? 0, 0.42, 0.03)
            }
            assert.include((yield* say(server, id, "three")).output, "one")
          })
        )
    )
  }
})

// They wait for the clock, most of the time.
describe.concurrent("U1: a usage limit that is waited for", () => {
  for (const agent of agents) {
    it.live(`${agent}: over a kill -9; then it goes on, and the model has each word once`, () =>
      live(
        Effect.gen(function* () {
          const world = yield* limited(agent, { onLimit: "wait", timeouts: { retrySeconds: 5 } })
          const first = yield* world.start()
          const id = yield* open(first, world.at("repo"), "full-access", instances[agent])
          const other = yield* open(first, world.at("tree"), "full-access", instances[agent])
          yield* say(first, id, "one")
          yield* say(first, id, "limit 3600 alpha")
          yield* say(first, other, "limit 3600 beta")
          const turn = yield* waiting(first, id)
          assert.strictEqual((yield* first.client.threads.get({ params: { id } })).waitsUntil, turn.notBefore)
          // One that is not wanted any more is withdrawn like any other.
          const third = yield* open(first, world.at("tree2"), "full-access", instances[agent])
          yield* say(first, third, "limit 3600 gamma")
          const gone = yield* waiting(first, third)
          yield* first.client.turns.interrupt({ params: { id: third, turnId: gone.id } })
          // It is over sooner than it was said to be: however slow the machine is, all of them wait by now.
          const soon = timestampOf((yield* Clock.currentTimeMillis) + 8000)
          const next = yield* waiting(first, other)
          for (const { id: turnId, threadId } of [turn, next])
            yield* first.client.turns.update({
              params: { id: threadId, turnId },
              payload: { notBefore: soon }
            })
          yield* first.kill

          const second = yield* world.start()
          const done = yield* settled(second, id, turn.id)
          assert.isAtLeast(Date.parse(done.startedAt ?? ""), Date.parse(soon))
          assert.strictEqual(done.status, "completed")
          assert.match(done.output, /one.*limit 3600 alpha.*The usage limit/s)
          assert.strictEqual(times([done.output.replaceAll(" | ", "\n")], "alpha"), 1)
          const later = yield* settled(second, other, next.id)
          assert.strictEqual(times(lastSaid(world), "beta"), 1)
          // Both waited for the same moment, and did not begin in it together.
          const apart = Math.abs(Date.parse(later.startedAt ?? "") - Date.parse(done.startedAt ?? ""))
          assert.isAtLeast(apart, 5000)
          const withdrawn = (yield* turnsOf(second, third)).at(-1)
          assert.strictEqual(withdrawn?.status, "interrupted")
        })
      )
    )
  }
})

describe("U2: cut off by a kill -9", () => {
  for (const agent of agents) {
    it.live(`${agent}: a new turn goes on, with words of its own and once`, () =>
      live(
        Effect.gen(function* () {
          const config = { onInterrupted: "continue" }
          const world = yield* makeWorld({ agents: [agent], config })
          const first = yield* world.start()
          const id = yield* open(first, world.at("repo"), "full-access", instances[agent])
          yield* say(first, id, "one")
          const { id: turnId } = yield* first.client.turns.send({
            params: { id },
            payload: { input: "hold in there" }
          })
          yield* event(first, id, "item.updated", (event) => event.turnId === turnId)
          yield* first.kill
          const second = yield* world.start()
          const cut = yield* settled(second, id, turnId)
          assert.strictEqual(cut.status, "interrupted")
          const next = (yield* turnsOf(second, id)).at(-1)
          assert.deepEqual(next?.continues, { turnId, because: "interrupted" })
          const done = yield* settled(second, id, next?.id ?? "")
          assert.strictEqual(done.status, "completed", JSON.stringify(done.error))
          assert.match(done.output, /one.*The server restarted while you worked/s)
          assert.strictEqual(times(lastSaid(world), "hold in there"), 1)
        })
      )
    )
  }
})

describe("U1: a limit of which an agent tells no end", () => {
  for (const agent of ["gemini", "copilot"] as const) {
    it.live(`${agent}: ends the turn with its name, and is tried later; the model has each word once`, () =>
      live(
        Effect.gen(function* () {
          const config = { onLimit: "wait" }
          const world = yield* makeWorld({ agents: [agent], respond: refusingModel, config })
          const server = yield* world.start()
          const provider = ProviderInstanceId.make(agent)
          const id = yield* open(server, world.at("repo"), "full-access", provider)
          yield* say(server, id, "one")
          const turn = yield* say(server, id, "limit alpha")
          assert.strictEqual(turn.status, "failed")
          assert.deepInclude(turn.error, { _tag: "UsageLimited", resetsAt: null })
          const next = yield* waiting(server, id)
          const params = { id, turnId: next.id }
          // Not in half an hour: its user lets it begin. The limit of the tests is in the words.
          const input = next.input.replace("limit alpha", "again: limit alpha")
          yield* server.client.turns.update({ params, payload: { input, notBefore: null } })
          const done = yield* settled(server, id, next.id)
          assert.strictEqual(done.status, "completed", JSON.stringify(done.error))
          assert.strictEqual(times(lastSaid(world), "alpha"), 1, JSON.stringify(lastSaid(world)))
        })
      )
    )
  }
})

/** Whether the agent's own record has the answer whole. */
const recorded = (world: World, agent: Agent) =>
  Effect.gen(function* () {
    if (agent === "opencode") {
      const database = `${world.at("agent")}/.local/share/opencode/opencode.db`
      const rows = yield* rowsOf(
        agent,
        database,
        "SELECT count(*) AS count FROM message WHERE json_extract(data, '$.finish') = 'stop'"
      )
      return Number(rows[0]?.["count"]) >= 2
    }
    const home = world.at("claude/projects")
    const names = yield* world.fs.readDirectory(home, { recursive: true })
    const files = names.filter((name) => name.endsWith(".jsonl"))
    const texts = yield* Effect.forEach(files, (name) => world.fs.readFileString(`${home}/${name}`))
    return texts.some((text) => text.includes("result: finished"))
  })

describe("U2: an agent that worked on when its server was killed", () => {
  for (const agent of ["opencode", "claude", "codex"] as const) {
    const ends = agent === "codex"
    it.live(
      `${agent}: ${ends ? "ends with it, and is asked to go on" : "what it finished alone is imported, and it is asked nothing"}`,
      () =>
        live(
          Effect.gen(function* () {
            const world = yield* makeWorld({ agents: [agent], config: { onInterrupted: "continue" } })
            const first = yield* world.start()
            const id = yield* open(first, world.at("repo"), "full-access", instances[agent])
            yield* say(first, id, "one")
            const { id: turnId } = yield* first.client.turns.send({
              params: { id },
              payload: { input: "run sleep 2 && echo finished" }
            })
            yield* event(first, id, "item.started", (event) => JSON.stringify(event.data).includes("sleep 2"))
            yield* first.kill
            // Its command ends, its model is asked once more, and it writes the answer down.
            if (!ends) yield* until(recorded(world, agent)).pipe(Effect.timeout("90 seconds"))
            const second = yield* world.start()
            const turn = yield* settled(second, id, turnId)
            const turns = yield* turnsOf(second, id)
            if (ends) {
              assert.strictEqual(turn.status, "interrupted")
              assert.strictEqual(turns.at(-1)?.continues?.turnId, turnId)
              return
            }
            assert.strictEqual(turn.status, "completed")
            assert.strictEqual(turn.output, "result: finished")
            assert.lengthOf(turns, 2)
            const { items } = yield* second.client.threads.items({ params: { id }, query: {} })
            assert.deepEqual(
              items.filter((item) => item.turnId === turnId).map(({ kind, status }) => [kind, status]),
              [
                ["user-message", "completed"],
                ["command", "completed"],
                ["assistant-message", "completed"]
              ]
            )
            assert.strictEqual(
              items.find(({ kind, turnId: of }) => kind === "command" && of === turnId)?.output?.trim(),
              "finished"
            )
            assert.include((yield* say(second, id, "next")).output, "sleep 2")
            assert.strictEqual(times(lastSaid(world), "sleep 2"), 1)
          })
        )
    )
  }
})
