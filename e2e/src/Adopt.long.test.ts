import { assert, describe, it } from "@effect/vitest"
import { bundledBinary } from "@rejoin/server/EmbeddedOpenCode"
import { Effect, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { type Agent, claudeEnvironment, instances, opencodeInstance, programOf } from "./Agents.ts"
import { rejoin } from "./CommandLine.ts"
import { live, makeWorld, receipts, say, type World } from "./World.ts"

/** One message in the agent's own command, in a new session or in the latest one of the directory. */
const typed = Effect.fnUntraced(function* (
  agent: Agent,
  world: World,
  cwd: string,
  text: string,
  goesOn: boolean
) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const commands = {
    claude: Effect.map(programOf("claude"), (program) => ({
      command: program,
      args: ["-p", "--permission-mode", "bypassPermissions", ...(goesOn ? ["--continue"] : []), text],
      env: claudeEnvironment(world.at("claude"), world.model.origin) as Record<string, string>
    })),
    codex: Effect.map(programOf("codex"), (program) => ({
      command: program,
      args: [
        "exec",
        "--dangerously-bypass-approvals-and-sandbox",
        ...(goesOn ? ["resume", "--last"] : []),
        text
      ],
      env: { CODEX_HOME: world.at("codex"), TMPDIR: world.at("tmp") } as Record<string, string>
    })),
    opencode: Effect.map(bundledBinary, (program) => ({
      command: program ?? "opencode",
      // What stands among its arguments it puts in quotes.
      args: ["run", ...(goesOn ? ["--continue"] : [])],
      env: { HOME: world.at("agent"), ...opencodeInstance(world.at("agent")).env } as Record<string, string>
    }))
  }
  const { args, command, env } = yield* commands[agent]
  const code = yield* spawner.exitCode(
    ChildProcess.make(command, args, {
      cwd,
      env: { ...world.environment, ...env, PWD: cwd },
      extendEnv: false,
      stdin: agent === "opencode" ? Stream.encodeText(Stream.make(text)) : "ignore",
      stdout: "ignore",
      stderr: "ignore"
    })
  )
  assert.strictEqual(Number(code), 0, `${agent} ${args.join(" ")}`)
})

describe("I1, I3, N6: what was begun in the agent's own command goes on here", () => {
  for (const agent of ["opencode", "codex", "claude"] as const) {
    it.live(`${agent}: listed, adopted once, shown, and the model receives all of it`, () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: [agent] })
          const strange = world.at("a dir é")
          yield* world.fs.makeDirectory(strange)
          yield* typed(agent, world, world.at("repo"), "fact one is 1", false)
          yield* typed(agent, world, world.at("repo"), "run echo made > made.txt; echo the output", true)
          yield* typed(agent, world, strange, "elsewhere, with “quotes”", false)
          const server = yield* world.start()
          const provider = instances[agent]
          const list = (
            query: { readonly cwd?: string; readonly q?: string; readonly limit?: number } = {}
          ) => server.client.providers.sessions({ params: { id: provider }, query })
          const all = yield* list()
          assert.lengthOf(all.items, 2, JSON.stringify(all))
          assert.strictEqual(all.items[0]?.cwd, strange)
          const [session] = (yield* list({ cwd: world.at("repo") })).items
          assert.lengthOf((yield* list({ limit: 1 })).items, 1)
          const id = session?.providerSessionId ?? ""
          const before = world.model.requests().length
          const adopted = yield* rejoin(world, "adopt", id, "--json")
          assert.strictEqual(adopted.code, 0, adopted.err)
          const again = yield* server.client.threads.create({ payload: { provider, session: id } })
          assert.include(adopted.out, again.id, "the same session is the same thread")
          assert.strictEqual((yield* list({ cwd: world.at("repo") })).items[0]?.threadId, again.id)
          assert.strictEqual(world.model.requests().length, before, "no prompt is spent on it")
          const { items } = yield* server.client.threads.items({ params: { id: again.id }, query: {} })
          assert.isTrue(items.every(({ elsewhere }) => elsewhere === true))
          assert.deepEqual(
            items.filter(({ kind }) => kind === "user-message").map(({ text }) => text),
            ["fact one is 1", "run echo made > made.txt; echo the output"]
          )
          const command = items.find(({ kind }) => kind === "command")
          assert.include(command?.command, "echo made")
          assert.include(command?.output, "the output")
          const turn = yield* say(server, again.id, "what do you know")
          assert.strictEqual(turn.status, "completed", JSON.stringify(turn.error))
          const asked = world.model.requests().findLast(({ said }) => said.at(-1) === "what do you know")
          const told = (asked?.said ?? []).filter((text) => /^(fact one|run echo|what do)/.test(text))
          assert.deepEqual(told, [
            "fact one is 1",
            "run echo made > made.txt; echo the output",
            "what do you know"
          ])
          const [receipt] = yield* receipts(server, again.id)
          assert.strictEqual(receipt?.outcome, "adopted")
          const history = receipt?.checks.find(({ what }) => what === "history")?.found
          assert.deepInclude({ ...history }, { value: "same" })

          // What its user says there afterwards stands here too, before the next turn.
          yield* server.stop
          yield* typed(agent, world, world.at("repo"), "typed afterwards", true)
          const later = yield* world.start()
          const next = yield* say(later, again.id, "and after that")
          assert.strictEqual(next.status, "completed", JSON.stringify(next.error))
          const after = yield* later.client.threads.items({ params: { id: again.id }, query: {} })
          assert.deepEqual(
            after.items
              .filter(({ kind }) => kind === "user-message")
              .map(({ elsewhere = false, text }) => [text, elsewhere])
              .slice(-3),
            [
              ["what do you know", false],
              ["typed afterwards", true],
              ["and after that", false]
            ]
          )
          assert.deepInclude({ ...(yield* receipts(later, again.id))[0] }, { ahead: 1, imported: 1 })

          // One whose directory is gone can be read, and says so when it is to go on.
          yield* world.fs.remove(strange, { recursive: true })
          const [gone] = (yield* later.client.providers.sessions({
            params: { id: provider },
            query: { cwd: strange }
          })).items
          const lost = yield* later.client.threads.create({
            payload: { provider, session: gone?.providerSessionId ?? "" }
          })
          assert.strictEqual((yield* say(later, lost.id, "are you there")).error?._tag, "CwdUnavailable")
          const moved = yield* rejoin(world, "move", lost.id, world.at("tree"))
          assert.strictEqual(moved.code, 0, moved.err)
          assert.include((yield* say(later, lost.id, "and now")).output, "elsewhere, with")
          const nobody = yield* rejoin(world, "adopt", "no-such-session")
          assert.strictEqual(nobody.code, 1)
        })
      )
    )
  }
})
