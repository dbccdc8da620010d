import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import type { Agent } from "./Agents.ts"
import { node, program } from "./CommandLine.ts"
import { sendSignal } from "@rejoin/agent-kit/ProcessOwner"
import { make as makeClient } from "@rejoin/client/Client"
import { commandOf, live, makeWorld, processesWith, type Server, until, type World } from "./World.ts"

const acpx = join(dirname(createRequire(import.meta.url).resolve("acpx/package.json")), "dist/cli.js")

/** The real client acpx, which is told to run `rejoin acp` as its agent. */
const clientOf = Effect.fnUntraced(function* (world: World, agent: Agent) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  yield* world.fs.makeDirectory(world.at(".acpx"), { recursive: true })
  const command = [node, program, "acp", "-p", agent].join(" ")
  yield* world.fs.writeFileString(
    world.at(".acpx/config.json"),
    JSON.stringify({ agents: { rejoin: { command } } })
  )
  const run = Effect.fnUntraced(function* (args: ReadonlyArray<string>) {
    const handle = yield* spawner.spawn(
      ChildProcess.make(node, [acpx, ...args], {
        cwd: world.at("repo"),
        env: world.environment,
        extendEnv: false,
        stdin: "ignore",
        stderr: "inherit",
        forceKillAfter: "5 seconds"
      })
    )
    const out = yield* Effect.forkChild(
      handle.stdout.pipe(
        Stream.decodeText(),
        Stream.mkString,
        Effect.orElseSucceed(() => "")
      )
    )
    const code = Number(yield* Effect.orElseSucceed(handle.exitCode, () => -1))
    return { code, out: yield* Fiber.join(out) }
  }, Effect.scoped)
  return (...args: ReadonlyArray<string>) => run(args)
})

const turnsOf = (server: Server, id: string) =>
  Effect.map(server.client.turns.list({ params: { id }, query: {} }), ({ items }) => items)

/** Ends, without a word to them, the processes of this world whose command has this in it. */
const killAll = Effect.fnUntraced(function* (world: World, part: string) {
  const found: Array<number> = []
  for (const pid of yield* processesWith(world.root)) {
    if ((yield* commandOf(pid)).includes(part)) found.push(pid)
  }
  for (const pid of found) yield* sendSignal(pid, "SIGKILL")
  return found.length
})

describe("the client acpx, over rejoin acp", () => {
  for (const agent of ["opencode", "codex", "claude"] as const) {
    it.live(
      `A8, A9: a conversation with ${agent} outlives acpx, us and the server, each killed in mid-turn`,
      () =>
        live(
          Effect.gen(function* () {
            const world = yield* makeWorld({ agents: [agent] })
            const server = yield* world.start()
            const client = yield* clientOf(world, agent)
            const begun = yield* client("--format", "quiet", "rejoin", "sessions", "new")
            const id = begun.out.trim()
            assert.match(id, /^thr_/)
            yield* server.client.threads.update({ params: { id }, payload: { runtimeMode: "full-access" } })
            const prompt = (text: string) => client("--format", "quiet", "rejoin", text)
            assert.include((yield* prompt("one")).out, "one")
            assert.include((yield* client("rejoin", "sessions", "list")).out, id)

            yield* server.stop
            const second = yield* world.start()
            assert.include((yield* prompt("two")).out, "one | two")

            const running = (input: string, of: Server) =>
              until(
                Effect.map(turnsOf(of, id), (turns) =>
                  turns.some((turn) => turn.input === input && turn.status === "running")
                )
              )
            // acpx and what it runs are killed: the turn goes on, and is said at the next look.
            yield* Effect.forkChild(prompt("run sleep 1; echo done"))
            yield* running("run sleep 1; echo done", second)
            assert.isAbove(
              (yield* killAll(world, "acpx/dist/cli.js")) + (yield* killAll(world, "main.js acp")),
              1
            )
            assert.include((yield* prompt("three")).out, "done | three")

            // Only the front is killed: the prompt fails, the turn does not.
            const held = yield* Effect.forkChild(prompt("hold on"))
            yield* running("hold on", second)
            assert.strictEqual(yield* killAll(world, " acp -p"), 1)
            yield* Fiber.join(held)
            yield* second.client.sessions.interrupt({ params: { id } })

            // The server is killed: told, and all is there with the one that is started for it.
            const again = yield* Effect.forkChild(prompt("hold again"))
            yield* running("hold again", second)
            yield* second.kill
            assert.notStrictEqual((yield* Fiber.join(again)).code, 0)
            assert.include((yield* prompt("four")).out, "three")

            const file = yield* world.fs.readFileString(join(world.home, "server.json"))
            const { pid, url } = JSON.parse(file) as { readonly pid: number; readonly url: string }
            yield* Effect.addFinalizer(() => sendSignal(pid, "SIGTERM"))
            const third = yield* makeClient({
              url,
              token: Redacted.make((yield* world.fs.readFileString(join(world.home, "token"))).trim())
            })
            const outcomes = (yield* third.threads.receipts({ params: { id }, query: {} })).items
            assert.deepEqual(outcomes.map(({ outcome }) => outcome).toReversed(), [
              "created",
              "adopted",
              "adopted"
            ])

            // Asked where it runs, and by rule of its user: without a terminal it is declined.
            assert.strictEqual((yield* client("rejoin", "set-mode", "approval-required")).code, 0)
            yield* prompt("escalate touch declined")
            assert.isFalse(yield* world.fs.exists(world.at("repo/declined")))
            yield* client("--approve-all", "--format", "quiet", "rejoin", "escalate touch allowed")
            assert.isTrue(yield* world.fs.exists(world.at("repo/allowed")))
            assert.notStrictEqual((yield* client("rejoin", "set-mode", "yolo")).code, 0)

            // A conversation that is gone is told, and no new one takes its place.
            yield* killAll(world, "acpx/dist/cli.js")
            yield* third.threads.remove({ params: { id } })
            const gone = yield* client("rejoin", "five")
            assert.notStrictEqual(gone.code, 0)
            assert.isEmpty((yield* third.threads.list({ query: {} })).items)
            yield* killAll(world, "acpx/dist/cli.js")
          })
        )
    )
  }
})
