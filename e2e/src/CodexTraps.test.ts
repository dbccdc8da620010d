import { assert, describe, it } from "@effect/vitest"
import { sendSignal } from "@rejoin/agent-kit/ProcessOwner"
import { DateTime, Effect, Fiber } from "effect"
import { DatabaseSync } from "node:sqlite"
import { codex } from "./Agents.ts"
import { rawCodex } from "./RawCodex.ts"
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
  settled,
  until,
  type World
} from "./World.ts"

const world = makeWorld({ agents: ["codex"] })

const rolloutsOf = Effect.fnUntraced(function* ({ at, fs }: World, id = "") {
  const names = yield* fs.readDirectory(at("codex/sessions"), { recursive: true })
  return names
    .filter((name) => name.endsWith(".jsonl") && name.includes(id))
    .map((name) => at(`codex/sessions/${name}`))
})

const rowsOf = ({ at }: World) => {
  const db = new DatabaseSync(at("codex/state_5.sqlite"), { readOnly: true })
  const rows = db.prepare("select * from threads order by id").all()
  db.close()
  return JSON.stringify(rows)
}

/** A thread with one turn, and the server stopped. */
const told = Effect.fn("told")(function* (world: World) {
  const server = yield* world.start()
  const id = yield* open(server, world.at("repo"), "full-access", codex)
  yield* say(server, id, "one")
  const [receipt] = yield* receipts(server, id)
  yield* server.stop
  return { id, sessionId: receipt?.providerSessionIdAfter ?? "" }
})

describe("Codex: what the agent lets succeed while it is wrong", () => {
  it.live(
    "measured: a resume of a loaded thread ignores place and powers, with success; what is not sent is not restored",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const raw = yield* rawCodex(ground)
          const { id: threadId } = yield* raw.start(ground.at("repo"))
          yield* raw.turn(threadId, "one")
          const loaded = yield* raw.ask("thread/resume", {
            threadId,
            cwd: ground.at("tree"),
            sandbox: "read-only",
            approvalPolicy: "untrusted",
            excludeTurns: true
          })
          assert.strictEqual(loaded.result?.["cwd"], ground.at("repo") as never)
          assert.include(JSON.stringify(loaded.result?.["sandbox"]), "dangerFullAccess")
        })
      )
  )

  it.live("measured: an absence has no code of its own, whether the id is missing or malformed", () =>
    live(
      Effect.gen(function* () {
        const raw = yield* rawCodex(yield* world)
        const missing = yield* raw.ask("thread/read", { threadId: "01a1fe2e-0000-7000-8000-000000000000" })
        const malformed = yield* raw.ask("thread/read", { threadId: "--last" })
        assert.strictEqual(missing.error?.code, -32_600)
        assert.strictEqual(malformed.error?.code, -32_600)
        assert.isUndefined(missing.error?.data)
      })
    )
  )

  it.live(
    "a stale index is repaired for us and stays as it is for the user: same thread, whole conversation",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const { id, sessionId } = yield* told(ground)
          const [path] = yield* rolloutsOf(ground, sessionId)
          const moved = ground.at("codex/sessions/2020/01/01")
          yield* ground.fs.makeDirectory(moved, { recursive: true })
          yield* ground.fs.rename(path ?? "", `${moved}/${path?.split("/").at(-1)}`)
          const before = rowsOf(ground)
          // The agent itself says of it what it says of one that never was.
          yield* Effect.scoped(
            Effect.gen(function* () {
              const raw = yield* rawCodex(ground)
              const resumed = yield* raw.ask("thread/resume", { threadId: sessionId })
              assert.strictEqual(resumed.error?.code, -32_600)
            })
          )
          const server = yield* ground.start()
          assert.strictEqual((yield* say(server, id, "two")).output, "one | two")
          assert.strictEqual((yield* say(server, id, "three")).output, "one | two | three")
          const [receipt] = yield* receipts(server, id)
          assert.strictEqual(receipt?.outcome, "adopted")
          assert.strictEqual(receipt?.providerSessionIdAfter, sessionId)
          yield* server.stop
          assert.strictEqual(rowsOf(ground), before)
          const again = yield* ground.start()
          assert.strictEqual((yield* say(again, id, "four")).output, "one | two | three | four")
        })
      )
  )

  it.live(
    "law 2: a thread whose file is gone and whose row stays is lost, not absent: refused, never created",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const { id, sessionId } = yield* told(ground)
          for (const path of yield* rolloutsOf(ground, sessionId)) yield* ground.fs.remove(path)
          const server = yield* ground.start()
          const turn = yield* say(server, id, "two")
          assert.strictEqual(turn.error?._tag, "UpstreamCorrupt")
          assert.lengthOf(yield* rolloutsOf(ground), 0)
        })
      )
  )

  it.live("a fork refers to its parent's file and is lost with it: refused, never empty", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        const { id, sessionId } = yield* told(ground)
        const first = yield* ground.start()
        yield* first.client.sessions.move({ params: { id }, payload: { cwd: ground.at("tree") } })
        assert.strictEqual((yield* say(first, id, "two")).output, "one | two")
        yield* first.stop
        const [parent] = yield* rolloutsOf(ground, sessionId)
        const kept = `${ground.root}/kept.jsonl`
        yield* ground.fs.rename(parent ?? "", kept)
        const second = yield* ground.start()
        assert.strictEqual((yield* say(second, id, "three")).error?._tag, "UpstreamCorrupt")
        yield* ground.fs.rename(kept, parent ?? "")
        assert.strictEqual((yield* say(second, id, "four")).output, "one | two | four")
      })
    )
  )

  it.live(
    "N1: a turn that its user reverted is missed; the thread goes on from what is there when he says so",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const first = yield* ground.start()
          const id = yield* open(first, ground.at("repo"), "full-access", codex)
          yield* say(first, id, "one")
          yield* say(first, id, "two")
          const [receipt] = yield* receipts(first, id)
          yield* first.stop
          yield* Effect.scoped(
            Effect.gen(function* () {
              const raw = yield* rawCodex(ground)
              const threadId = receipt?.providerSessionIdAfter
              yield* raw.ask("thread/resume", { threadId })
              const listed = yield* raw.ask("thread/turns/list", { threadId, sortDirection: "desc" })
              const [last] = (listed.result?.["data"] ?? []) as ReadonlyArray<{ readonly id: string }>
              const answer = yield* raw.ask("thread/revert", { threadId, beforeTurnId: last?.id })
              assert.isUndefined(answer.error)
            })
          )
          const server = yield* ground.start()
          assert.strictEqual((yield* say(server, id, "three")).error?._tag, "HistoryMismatch")
          const accepted = yield* server.client.sessions.acceptHistory({ params: { id } })
          assert.deepInclude({ ...accepted }, { outcome: "adopted", undone: 1 })
          assert.strictEqual((yield* say(server, id, "four")).output, "one | four")
        })
      )
  )

  it.live("an archived thread is taken out of the archive and goes on", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        const { id, sessionId } = yield* told(ground)
        yield* Effect.scoped(
          Effect.flatMap(rawCodex(ground), (raw) => raw.ask("thread/archive", { threadId: sessionId }))
        )
        const server = yield* ground.start()
        assert.strictEqual((yield* say(server, id, "two")).output, "one | two")
      })
    )
  )

  it.live(
    "law 5: a thread that another process writes is refused as held, and free again when that has ended",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const { id, sessionId } = yield* told(ground)
          const server = yield* ground.start()
          yield* Effect.scoped(
            Effect.gen(function* () {
              const raw = yield* rawCodex(ground)
              const held = yield* raw.ask("thread/resume", { threadId: sessionId })
              assert.isUndefined(held.error)
              const turn = yield* say(server, id, "two")
              assert.strictEqual(turn.error?._tag, "SessionHeldElsewhere")
            })
          )
          assert.strictEqual((yield* say(server, id, "three")).output, "one | three")
          // While it is live here nobody else writes it: so a turn of ours need not look at what was written.
          yield* Effect.scoped(
            Effect.gen(function* () {
              const raw = yield* rawCodex(ground)
              const refused = yield* raw.ask("thread/resume", { threadId: sessionId })
              assert.strictEqual(refused.error?.code, -32_600)
            })
          )
          assert.strictEqual((yield* say(server, id, "four")).output, "one | three | four")
          // A stop frees the writer's lock: the user's own Codex goes on at once.
          yield* server.client.sessions.stop({ params: { id } })
          const raw = yield* rawCodex(ground)
          assert.isUndefined((yield* raw.ask("thread/resume", { threadId: sessionId })).error)
        })
      )
  )

  it.live(
    "measured: a start that may write leaves an entry of trust in the user's configuration; ours never does",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const config = ground.fs.readFileString(ground.at("codex/config.toml"))
          const before = yield* config
          const server = yield* ground.start()
          for (const mode of [
            "read-only",
            "approval-required",
            "auto-accept-edits",
            "full-access"
          ] as const) {
            const id = yield* open(server, ground.at("repo"), mode, codex)
            yield* say(server, id, "one")
            yield* server.client.sessions.stop({ params: { id } })
            yield* say(server, id, "two")
            yield* server.client.sessions.move({ params: { id }, payload: { cwd: ground.at("tree") } })
          }
          assert.strictEqual(yield* config, before)
          yield* server.stop
          const raw = yield* rawCodex(ground)
          yield* raw.start(ground.at("repo"), "workspace-write")
          assert.include(yield* config, "trust_level")
        })
      )
  )

  it.live("law 4: a rule of the user's that allows a command does not free it from the mode", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        yield* ground.fs.makeDirectory(ground.at("codex/rules"), { recursive: true })
        yield* ground.fs.writeFileString(
          ground.at("codex/rules/default.rules"),
          'prefix_rule(pattern=["touch"], decision="allow")\n'
        )
        const written = (name: string) => ground.fs.exists(`${ground.at("repo")}/${name}`)
        yield* Effect.scoped(
          Effect.gen(function* () {
            const raw = yield* rawCodex(ground)
            const { id } = yield* raw.start(ground.at("repo"), "read-only")
            yield* raw.turn(id, "run touch raw.txt")
          })
        )
        assert.isTrue(yield* written("raw.txt"), "measured: it runs outside of the sandbox")
        const server = yield* ground.start()
        for (const mode of ["read-only", "approval-required"] as const) {
          const id = yield* open(server, ground.at("repo"), mode, codex)
          yield* say(server, id, `run touch ${mode}.txt`)
          assert.isFalse(yield* written(`${mode}.txt`))
        }
        const id = yield* open(server, ground.at("repo"), "auto-accept-edits", codex)
        yield* say(server, id, `run touch ${ground.at("other")}/outside.txt`)
        assert.isFalse(yield* ground.fs.exists(`${ground.at("other")}/outside.txt`))
      })
    )
  )

  it.live(
    "approval-required: a command that wants out of the sandbox is asked for, and runs once accepted",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const server = yield* ground.start()
          const id = yield* open(server, ground.at("repo"), "approval-required", codex)
          const written = ground.fs.exists(`${ground.at("repo")}/made.txt`)
          for (const [decision, done] of [
            ["decline", false],
            ["accept", true]
          ] as const) {
            const turn = yield* send(server, id, "escalate touch made.txt")
            yield* event(server, id, "request.opened", ({ turnId }) => turnId === turn.id)
            assert.isFalse(yield* written)
            const [request] = (yield* server.client.threads.requests({ params: { id } })).items
            assert.deepInclude({ ...request?.ask }, { kind: "approval", command: "touch made.txt" })
            yield* server.client.threads.answer({
              params: { id, requestId: request?.id ?? "" },
              payload: { decision }
            })
            assert.strictEqual((yield* settled(server, id, turn.id)).status, "completed")
            assert.strictEqual(yield* written, done)
          }
          // What was accepted once is not written into the user's own rules.
          assert.isFalse(yield* ground.fs.exists(ground.at("codex/rules/default.rules")))
        })
      )
  )

  it.live("measured: an interrupt leaves the running command alive; ours ends it too", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        const server = yield* ground.start()
        const id = yield* open(server, ground.at("repo"), "full-access", codex)
        const turn = yield* send(server, id, "run sleep 611")
        const sleeping = Effect.gen(function* () {
          const pids = yield* processesWith(`CODEX_HOME=${ground.at("codex")}`)
          const commands = yield* Effect.forEach(pids, commandOf)
          return commands.filter((command) => command.startsWith("sleep 611")).length
        })
        yield* until(Effect.map(sleeping, (count) => count > 0))
        yield* server.client.sessions.interrupt({ params: { id } })
        assert.strictEqual((yield* settled(server, id, turn.id)).status, "interrupted")
        yield* until(Effect.map(sleeping, (count) => count === 0))
      })
    )
  )

  it.live(
    "a Codex that is frozen in the middle of a turn is ended with it, and the conversation goes on in another",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const server = yield* ground.start()
          const id = yield* open(server, ground.at("repo"), "full-access", codex)
          yield* say(server, id, "one")
          const turn = yield* send(server, id, "run sleep 616")
          yield* event(server, id, "item.started", ({ data }) => JSON.stringify(data).includes("sleep 616"))
          const frozen: Array<number> = []
          for (const pid of yield* processesWith(`CODEX_HOME=${ground.at("codex")}`)) {
            if (!(yield* commandOf(pid)).includes("app-server")) continue
            frozen.push(pid)
            yield* Effect.sync(() => process.kill(pid, "SIGSTOP"))
          }
          assert.isAbove(frozen.length, 0)
          yield* server.client.sessions.stop({ params: { id } })
          assert.strictEqual((yield* settled(server, id, turn.id)).status, "interrupted")
          assert.match((yield* say(server, id, "two")).output, /^one \| .*two$/)
          const left = yield* processesWith(`CODEX_HOME=${ground.at("codex")}`)
          assert.isFalse(frozen.some((pid) => left.includes(pid)))
        })
      )
  )

  it.live("law 9: what a killed Codex leaves running is gone before its thread goes on", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        const server = yield* ground.start()
        const id = yield* open(server, ground.at("repo"), "full-access", codex)
        yield* say(server, id, "one")
        const turn = yield* send(server, id, "run setsid sleep 613 & (nohup sleep 614 &) ; sleep 615")
        const ours = processesWith(`CODEX_HOME=${ground.at("codex")}`)
        const running = Effect.flatMap(ours, (pids) => Effect.forEach(pids, commandOf))
        yield* until(
          Effect.map(
            running,
            (commands) => commands.filter((command) => command.startsWith("sleep 61")).length === 3
          )
        )
        for (const pid of yield* ours) {
          if ((yield* commandOf(pid)).includes("app-server")) yield* sendSignal(pid, "SIGKILL")
        }
        assert.strictEqual((yield* settled(server, id, turn.id)).status, "interrupted")
        assert.match((yield* say(server, id, "two")).output, /^one.*two$/)
        assert.deepEqual(
          (yield* running).filter((command) => command.startsWith("sleep 61")),
          []
        )
      })
    )
  )

  it.live(
    "law 4: other servers' tools, which run outside of every sandbox, are not there in our sessions",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const config = ground.at("codex/config.toml")
          const flag = ground.at("flag")
          const before = yield* ground.fs.readFileString(config)
          yield* ground.fs.writeFileString(
            config,
            `${before}\n[mcp_servers.sly]\ncommand = "sh"\nargs = ["-c", "touch ${flag}; cat"]\n`
          )
          const server = yield* ground.start()
          const id = yield* open(server, ground.at("repo"), "read-only", codex)
          assert.strictEqual((yield* say(server, id, "one")).output, "one")
          assert.isFalse(yield* ground.fs.exists(flag))
          yield* server.stop
          const raw = yield* rawCodex(ground)
          yield* raw.start(ground.at("repo"))
          yield* until(ground.fs.exists(flag))
        })
      )
  )

  it.live("law 7: a start that is given up leaves nothing that the next one stumbles over", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        const { id } = yield* told(ground)
        const server = yield* ground.start()
        yield* say(server, id, "two")
        // Given up a little later each time: after so many requests to the same server.
        for (let looks = 0; looks < 10; looks++) {
          yield* server.client.sessions.stop({ params: { id } }).pipe(Effect.ignore)
          const given = yield* Effect.forkChild(send(server, id, "given up"))
          for (let look = 0; look < looks; look++) yield* server.client.threads.get({ params: { id } })
          yield* server.client.sessions.stop({ params: { id } }).pipe(Effect.ignore)
          const turn = yield* Fiber.join(given)
          yield* settled(server, id, turn.id)
          const next = yield* say(server, id, `after ${looks}`)
          assert.match(next.output, new RegExp(`^one \\| two.*after ${looks}$`), JSON.stringify(next.error))
        }
      })
    )
  )

  it.live("law 7: what the user forked at the same time is nobody's to undo", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        const { id, sessionId } = yield* told(ground)
        const server = yield* ground.start()
        const fork = yield* server.client.sessions.fork({ params: { id }, payload: {} })
        yield* server.stop
        yield* Effect.scoped(
          Effect.flatMap(rawCodex(ground), (raw) => raw.ask("thread/fork", { threadId: sessionId }))
        )
        const before = yield* rolloutsOf(ground)
        assert.lengthOf(before, 3)
        // A start of this thread that died in this very moment, before it could write down what it had made.
        const db = new DatabaseSync(`${ground.home}/rejoin.db`)
        const intent = {
          threadId: id,
          generation: 99,
          instanceId: "codex",
          step: "begun",
          titleMark: `[${id}]`,
          cwd: ground.at("repo"),
          created: [],
          at: DateTime.formatIso(yield* DateTime.now)
        }
        db.prepare("insert into start_intent (thread_id, generation, record_json) values (?, ?, ?)").run(
          id,
          intent.generation,
          JSON.stringify(intent)
        )
        db.close()
        const again = yield* ground.start()
        assert.strictEqual((yield* say(again, fork.id, "else")).output, "one | else")
        assert.deepEqual(yield* rolloutsOf(ground), before)
      })
    )
  )

  it.live("a model that is in force already is no change that is waited for", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        const server = yield* ground.start()
        const id = yield* open(server, ground.at("repo"), "full-access", codex)
        yield* say(server, id, "one")
        yield* server.client.threads.update({ params: { id }, payload: { model: "gpt-5.5" } })
        yield* server.client.threads.update({ params: { id }, payload: { model: "gpt-5.5" } })
        assert.strictEqual((yield* say(server, id, "two")).output, "one | two")
        const [receipt] = yield* receipts(server, id)
        assert.deepInclude({ ...receipt }, { outcome: "adopted", runtimeModeVerified: "full-access" })
      })
    )
  )

  it.live("records that cannot be read are told: the model does not see them, and Codex says nothing", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        const { id, sessionId } = yield* told(ground)
        const [path] = yield* rolloutsOf(ground, sessionId)
        const text = yield* ground.fs.readFileString(path ?? "")
        yield* ground.fs.writeFileString(path ?? "", `${text}{"torn": "rec`)
        const server = yield* ground.start()
        yield* say(server, id, "two")
        const warning = yield* event(server, id, "warning")
        assert.include(JSON.stringify(warning.data), "1 records of this conversation cannot be read")
      })
    )
  )
})
