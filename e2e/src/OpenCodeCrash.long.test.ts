import { assert, describe, it } from "@effect/vitest"
import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { sendSignal } from "@rejoin/agent-kit/ProcessOwner"
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

/** Everybody on the machine runs a tool of a turn of this thread. */
const midTurn = Effect.fn("midTurn")(function* (world: World, server: Server, id: ThreadId) {
  const turn = yield* send(server, id, "run sleep 987")
  yield* event(
    server,
    id,
    "item.started",
    ({ data, turnId }) => turnId === turn.id && JSON.stringify(data).includes("sleep 987")
  )
  yield* until(Effect.map(tools(world), (running) => running.length > 0))
  return turn.id
})

describe("OpenCode: kill -9 in the middle of a turn with a running tool", () => {
  // One world through four endings: each must also leave what the next one goes on from.
  it.live(
    "C4, C19, C22, C30, C37, C38, law 6, law 9, S12: of OpenCode, of us, of both, and a graceful stop: no orphan is left, the turn is interrupted, the next has the history",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const first = yield* world.start()
          const id = yield* open(first, world.at("repo"))
          yield* say(first, id, "my name is Ada")
          const history = ["my name is Ada"]
          /** What ran is interrupted and known to the model, and nothing of it runs any more. */
          const goesOn = Effect.fn("goesOn")(function* (server: Server, turnId: TurnId, input: string) {
            assert.strictEqual((yield* settled(server, id, turnId)).status, "interrupted")
            history.push("run sleep 987", input)
            assert.strictEqual((yield* say(server, id, input)).output, history.join(" | "))
            assert.deepEqual(yield* tools(world), [])
            const [receipt] = yield* receipts(server, id)
            assert.deepInclude(
              { ...receipt },
              { outcome: "adopted", cwdVerified: world.at("repo"), runtimeModeVerified: "full-access" }
            )
          })

          const ofOpenCode = yield* midTurn(world, first, id)
          const { session } = yield* first.client.threads.get({ params: { id } })
          assert.deepInclude({ ...session }, { state: "running", runningTool: "sleep 987" })
          for (const pid of yield* agentServers(world)) yield* sendSignal(pid, "SIGKILL")
          yield* goesOn(first, ofOpenCode, "it was killed")
          const events = yield* first.client.follow(id, 0).pipe(
            Stream.takeUntil(
              ({ data, type }) => type === "turn.completed" && JSON.stringify(data).includes("it was killed")
            ),
            Stream.runCollect
          )
          assert.lengthOf(
            events.filter(({ type }) => type === "session.exited"),
            1
          )

          const ofUs = yield* midTurn(world, first, id)
          const queued = yield* send(first, id, "queued")
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
          // What was accepted and not yet sent is run now, once.
          history.push("run sleep 987", "queued")
          assert.strictEqual((yield* settled(second, id, queued.id)).output, history.join(" | "))
          assert.lengthOf(
            world.model.requests().filter(({ said }) => said.at(-1) === "queued"),
            1
          )
          assert.strictEqual((yield* settled(second, id, ofUs)).status, "interrupted")

          const ofBoth = yield* midTurn(world, second, id)
          const servers = yield* agentServers(world)
          yield* second.kill
          for (const pid of servers) yield* sendSignal(pid, "SIGKILL")
          const third = yield* world.start()
          assert.deepEqual(yield* tools(world), [])
          yield* goesOn(third, ofBoth, "both were killed")

          const stopped = yield* midTurn(world, third, id)
          yield* Effect.forkChild(third.client.follow(id, 0).pipe(Stream.runDrain, Effect.ignore))
          assert.strictEqual(yield* third.stop, 0)
          assert.deepEqual(yield* agents(world), [])
          assert.isFalse(yield* world.fs.exists(`${world.home}/server.json`))
          const fourth = yield* world.start()
          yield* goesOn(fourth, stopped, "it was stopped")
        })
      )
  )
})
