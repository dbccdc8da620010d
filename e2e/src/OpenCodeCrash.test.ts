import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import {
  commandOf,
  event,
  live,
  makeWorld,
  open,
  processesWith,
  receipts,
  say,
  send,
  type Server,
  settled,
  until,
  type World
} from "./World.ts"

const agents = (world: World) => processesWith(`HOME=${world.at("agent")}`)

const agentServers = Effect.fn("agentServers")(function* (world: World) {
  const pids = yield* agents(world)
  const commands = yield* Effect.forEach(pids, (pid) =>
    Effect.map(commandOf(pid), (command) => ({ pid, command }))
  )
  return commands.filter(({ command }) => command.includes("serve --hostname")).map(({ pid }) => pid)
})

const tools = Effect.fn("tools")(function* (world: World) {
  const commands = yield* Effect.flatMap(agents(world), Effect.forEach(commandOf))
  return commands.filter((command) => command.startsWith("sleep 987"))
})

/** A thread with a history, in the middle of a turn whose tool runs. */
const midTurn = Effect.fn("midTurn")(function* (world: World, server: Server) {
  const id = yield* open(server, world.at("repo"))
  yield* say(server, id, "my name is Ada")
  const turn = yield* send(server, id, "run sleep 987")
  yield* event(server, id, "item.started", ({ data }) => JSON.stringify(data).includes("sleep 987"))
  yield* until(Effect.map(tools(world), (running) => running.length > 0))
  return { id, turnId: turn.id }
})

describe("OpenCode: kill -9 in the middle of a turn with a running tool", () => {
  it.live(
    "C37, C38, law 9: of us: no orphan is left, the turn is interrupted, the next has the history",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const first = yield* world.start()
          const { id, turnId } = yield* midTurn(world, first)
          yield* first.kill
          const orphans = yield* agents(world)
          assert.isAbove(orphans.length, 1)
          const second = yield* world.start()
          // Before anybody was served: the orphans are dead.
          const alive = yield* agents(world)
          assert.deepEqual(
            orphans.filter((pid) => alive.includes(pid)),
            []
          )
          const turn = yield* settled(second, id, turnId)
          assert.strictEqual(turn.status, "interrupted")
          assert.strictEqual(
            (yield* say(second, id, "who am I")).output,
            "my name is Ada | run sleep 987 | who am I"
          )
          assert.strictEqual((yield* receipts(second, id))[0]?.outcome, "adopted")
          const { items } = yield* second.client.turns.list({ params: { id }, query: {} })
          assert.deepEqual(
            items.map(({ status }) => status),
            ["completed", "interrupted", "completed"]
          )
        })
      )
  )

  it.live(
    "C19, C30: of OpenCode: its tool is swept, the turn is interrupted, one session.exited, the next has the history",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const { id, turnId } = yield* midTurn(world, server)
          const [pid] = yield* agentServers(world)
          assert.isDefined(pid)
          if (pid !== undefined) process.kill(pid, "SIGKILL")
          assert.strictEqual((yield* settled(server, id, turnId)).status, "interrupted")
          assert.strictEqual(
            (yield* say(server, id, "who am I")).output,
            "my name is Ada | run sleep 987 | who am I"
          )
          assert.deepEqual(yield* tools(world), [])
          const events = yield* server.client.follow(id, 0).pipe(
            Stream.takeUntil(
              ({ data, type }) => type === "turn.completed" && JSON.stringify(data).includes("who am I")
            ),
            Stream.runCollect
          )
          assert.lengthOf(
            events.filter(({ type }) => type === "session.exited"),
            1
          )
        })
      )
  )

  it.live("C37, C38: of both: as of us", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const first = yield* world.start()
        const { id, turnId } = yield* midTurn(world, first)
        const servers = yield* agentServers(world)
        yield* first.kill
        for (const pid of servers) process.kill(pid, "SIGKILL")
        const second = yield* world.start()
        assert.deepEqual(yield* tools(world), [])
        assert.strictEqual((yield* settled(second, id, turnId)).status, "interrupted")
        assert.strictEqual(
          (yield* say(second, id, "who am I")).output,
          "my name is Ada | run sleep 987 | who am I"
        )
      })
    )
  )

  it.live("a graceful stop ends with an open stream and a running turn, and nothing is left", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const first = yield* world.start()
        const { id, turnId } = yield* midTurn(world, first)
        yield* Effect.forkChild(first.client.follow(id, 0).pipe(Stream.runDrain, Effect.ignore))
        assert.strictEqual(yield* first.stop, 0)
        assert.deepEqual(yield* agents(world), [])
        assert.isFalse(yield* world.fs.exists(`${world.home}/server.json`))
        const second = yield* world.start()
        assert.strictEqual((yield* settled(second, id, turnId)).status, "interrupted")
        assert.strictEqual(
          (yield* say(second, id, "who am I")).output,
          "my name is Ada | run sleep 987 | who am I"
        )
      })
    )
  )

  it.live(
    "law 2, law 6: a turn that was accepted while the agent was away is run once the server is back",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const first = yield* world.start()
          const id = yield* open(first, world.at("repo"))
          yield* say(first, id, "one")
          const held = yield* send(first, id, "hold on")
          yield* event(first, id, "turn.started", ({ turnId }) => turnId === held.id)
          const queued = yield* send(first, id, "queued")
          yield* first.kill
          const second = yield* world.start()
          assert.strictEqual((yield* settled(second, id, held.id)).status, "interrupted")
          assert.strictEqual((yield* settled(second, id, queued.id)).output, "one | hold on | queued")
          const asked = world.model.requests().filter(({ said }) => said.at(-1) === "queued")
          assert.lengthOf(asked, 1)
        })
      )
  )
})
