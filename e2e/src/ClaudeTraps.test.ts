import { assert, describe, it } from "@effect/vitest"
import { sendSignal } from "@rejoin/agent-kit/ProcessOwner"
import { Effect, Option } from "effect"
import { randomUUID } from "node:crypto"
import { claude, codex } from "./Agents.ts"
import { rawClaude } from "./RawClaude.ts"
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
  type Server,
  until,
  type World
} from "./World.ts"

const world = makeWorld({ agents: ["claude"] })

const transcriptsOf = Effect.fnUntraced(function* ({ at, fs }: World, id = "") {
  const names = yield* fs.readDirectory(at("claude/projects"), { recursive: true })
  return names
    .filter((name) => name.endsWith(".jsonl") && name.split("/").length === 2 && name.includes(id))
    .map((name) => at(`claude/projects/${name}`))
})

const start = Effect.fnUntraced(function* (world: World, server: Server, cwd = world.at("repo")) {
  const id = yield* open(server, cwd, "full-access", claude)
  yield* say(server, id, "one")
  const [receipt] = yield* receipts(server, id)
  return { id, sessionId: receipt?.providerSessionIdAfter ?? "" }
})

/** A thread with one turn, and the server stopped. */
const told = Effect.fn("told")(function* (world: World) {
  const server = yield* world.start()
  const thread = yield* start(world, server)
  yield* server.stop
  return thread
})

const bypass = ["--permission-mode", "bypassPermissions"]

describe("Claude: what the agent lets succeed while it is wrong", () => {
  it.live("measured: a session that was resumed at an earlier message forgets what was said since", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        const id = randomUUID()
        const said = (args: ReadonlyArray<string>, ...texts: ReadonlyArray<string>) =>
          Effect.scoped(
            Effect.gen(function* () {
              const raw = yield* rawClaude(ground, ground.at("repo"), args)
              return yield* Effect.forEach(texts, (text) => Effect.map(raw.say(text), ({ result }) => result))
            })
          )
        yield* said(["--session-id", id], "one", "two", "three")
        const [file = ""] = yield* transcriptsOf(ground, id)
        const lines = (yield* ground.fs.readFileString(file)).trim().split("\n")
        const third = lines.findLastIndex((line) => line.includes('"type":"user"'))
        const second = lines.slice(0, third).findLast((line) => line.includes('"type":"assistant"')) ?? "{}"
        const { uuid } = JSON.parse(second) as { readonly uuid: string }
        yield* said(["--resume", id, "--resume-session-at", uuid], "instead")
        assert.deepEqual(yield* said(["--resume", id], "four"), ["one | two | instead | four"])
        assert.deepEqual(yield* said(["--resume", id], "five"), ["one | two | three | four | five"])
      })
    )
  )

  it.live(
    "measured: an id that exists makes an empty session of the same id elsewhere; two transcripts are refused",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const { id, sessionId } = yield* told(ground)
          yield* Effect.scoped(
            Effect.gen(function* () {
              const args = ["--session-id", sessionId, ...bypass]
              const raw = yield* rawClaude(ground, ground.at("other"), args)
              assert.strictEqual((yield* raw.say("who am I")).result, "who am I", "measured: it is empty")
            })
          )
          assert.lengthOf(yield* transcriptsOf(ground, sessionId), 2)
          const server = yield* ground.start()
          const turn = yield* say(server, id, "two")
          assert.strictEqual(turn.error?._tag, "ProbeInconclusive")
          assert.lengthOf(yield* transcriptsOf(ground), 2)
        })
      )
  )

  it.live(
    "law 3: a session that is bound to Claude's own worktree is carried out of it, and works where it should",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const { id, sessionId } = yield* told(ground)
          const [path] = yield* transcriptsOf(ground, sessionId)
          const text = yield* ground.fs.readFileString(path ?? "")
          const worktreeSession = {
            originalCwd: ground.at("repo"),
            worktreePath: ground.at("tree"),
            worktreeName: "tree",
            worktreeBranch: "tree",
            sessionId
          }
          const line = JSON.stringify({ type: "worktree-state", worktreeSession, sessionId })
          yield* ground.fs.writeFileString(path ?? "", `${text}${line}\n`)
          yield* Effect.scoped(
            Effect.gen(function* () {
              const raw = yield* rawClaude(ground, ground.at("repo"), ["--resume", sessionId, ...bypass])
              assert.include((yield* raw.say("run pwd")).result, ground.at("tree"), "measured: it goes there")
            })
          )
          const server = yield* ground.start()
          const turn = yield* say(server, id, "run pwd")
          assert.include(turn.output, ground.at("repo"))
          const [receipt] = yield* receipts(server, id)
          assert.deepInclude({ ...receipt }, { outcome: "forked", cwdVerified: ground.at("repo") })
          assert.match((yield* say(server, id, "two")).output, /^one \| .*two$/)
        })
      )
  )

  it.live(
    "law 5: Claude has no lock; a session that another one works on is refused, until that has ended",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const { id, sessionId } = yield* told(ground)
          const server = yield* ground.start()
          yield* Effect.scoped(
            Effect.gen(function* () {
              const raw = yield* rawClaude(ground, ground.at("repo"), ["--resume", sessionId, ...bypass])
              yield* raw.say("meanwhile")
              const turn = yield* say(server, id, "two")
              assert.strictEqual(turn.error?._tag, "SessionHeldElsewhere")
              // Before its input ends: then it would tidy up.
              yield* sendSignal(raw.pid, "SIGKILL")
            })
          )
          // Killed, it leaves its file behind, which holds nothing any more. What was said there is not lost.
          const names = yield* ground.fs.readDirectory(ground.at("claude/sessions"))
          assert.isTrue(names.some((name) => name.endsWith(".json")))
          assert.strictEqual((yield* say(server, id, "three")).output, "one | meanwhile | three")
        })
      )
  )

  it.live("law 5: what another one said in a session that is live here is noticed, and not lost", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        const server = yield* ground.start()
        const id = yield* open(server, ground.at("repo"), "full-access", claude)
        yield* say(server, id, "one")
        assert.strictEqual((yield* say(server, id, "two")).output, "one | two")
        const { session } = yield* server.client.threads.get({ params: { id } })
        yield* Effect.scoped(
          Effect.gen(function* () {
            const resume = ["--resume", session.providerSessionId ?? "", ...bypass]
            const raw = yield* rawClaude(ground, ground.at("repo"), resume)
            yield* raw.say("meanwhile")
          })
        )
        assert.strictEqual((yield* say(server, id, "three")).output, "one | two | meanwhile | three")
        assert.strictEqual((yield* say(server, id, "four")).output, "one | two | meanwhile | three | four")
        const [receipt] = yield* receipts(server, id)
        assert.deepInclude({ ...receipt }, { outcome: "adopted", ahead: 1 })
      })
    )
  )

  it.live(
    "N1: of two that resumed at once one branch is lost: where it is ours, the follow-up is refused, until its user goes on from what is there",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const { id, sessionId } = yield* told(ground)
          const server = yield* ground.start()
          // Ours says more than the other knows, and the other goes on from before that.
          const [path] = yield* transcriptsOf(ground, sessionId)
          const before = yield* ground.fs.readFileString(path ?? "")
          assert.strictEqual((yield* say(server, id, "two")).output, "one | two")
          yield* server.stop
          const ours = yield* ground.fs.readFileString(path ?? "")
          yield* ground.fs.writeFileString(path ?? "", before)
          yield* Effect.scoped(
            Effect.gen(function* () {
              const raw = yield* rawClaude(ground, ground.at("repo"), ["--resume", sessionId, ...bypass])
              yield* raw.say("meanwhile")
            })
          )
          const theirs = (yield* ground.fs.readFileString(path ?? "")).slice(before.length)
          yield* ground.fs.writeFileString(path ?? "", ours + theirs)
          const again = yield* ground.start()
          assert.strictEqual((yield* say(again, id, "three")).error?._tag, "HistoryMismatch")
          const receipt = yield* again.client.sessions.acceptHistory({ params: { id } })
          assert.deepInclude({ ...receipt }, { outcome: "adopted", undone: 1 })
          assert.strictEqual((yield* say(again, id, "four")).output, "one | meanwhile | four")
        })
      )
  )

  it.live(
    "law 4: rules and hooks of the user's that allow everything do not free the agent from the mode",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const hook = {
            type: "command",
            command: `echo '${JSON.stringify({ hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision: "allow" } })}'`
          }
          const settings = {
            permissions: { allow: ["Bash", "Write", "Edit"], defaultMode: "bypassPermissions" },
            hooks: { PreToolUse: [{ matcher: "*", hooks: [hook] }] }
          }
          yield* ground.fs.writeFileString(ground.at("claude/settings.json"), JSON.stringify(settings))
          const server = yield* ground.start()
          const written = (name: string) => ground.fs.exists(`${ground.at("repo")}/${name}`)
          const id = yield* open(server, ground.at("repo"), "read-only", claude)
          yield* say(server, id, "write read-only.txt text")
          yield* say(server, id, "run touch read-only.txt")
          assert.isFalse(yield* written("read-only.txt"))
          yield* server.client.threads.update({
            params: { id },
            payload: { runtimeMode: "approval-required" }
          })
          for (const input of [
            "write asked.txt text",
            "run touch asked.txt",
            "delegate run touch asked.txt"
          ]) {
            const turn = yield* send(server, id, input)
            yield* event(server, id, "request.opened", ({ turnId }) => turnId === turn.id)
            const [request] = (yield* server.client.threads.requests({ params: { id } })).items
            yield* server.client.threads.answer({
              params: { id, requestId: request?.id ?? "" },
              payload: { decision: "decline" }
            })
            assert.strictEqual((yield* settled(server, id, turn.id)).status, "completed")
            assert.isFalse(yield* written("asked.txt"), input)
          }
        })
      )
  )

  it.live(
    "C11: a sub-agent with a mode of its own does no more than the thread's, and is no mismatch of it",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          yield* ground.fs.makeDirectory(ground.at("claude/agents"), { recursive: true })
          const over = new Set(["completed", "failed", "interrupted"])
          const own = ["plan", "acceptEdits", "dontAsk", "bypassPermissions"]
          for (const mode of own) {
            const text = `---\nname: ${mode.toLowerCase()}\ndescription: x\npermissionMode: ${mode}\n---\nx`
            yield* ground.fs.writeFileString(ground.at(`claude/agents/${mode}.md`), text)
          }
          const server = yield* ground.start()
          const id = yield* open(server, ground.at("repo"), "approval-required", claude)
          const asked: Array<string> = []
          const decline = Effect.gen(function* () {
            const { items } = yield* server.client.threads.requests({ params: { id } })
            for (const { ask, id: requestId } of items) {
              const what = ask.kind === "approval" ? ask.permission : ask.kind
              asked.push(what)
              const payload = { decision: "decline" } as const
              yield* server.client.threads.answer({ params: { id, requestId }, payload })
            }
          })
          for (const mode of own) {
            for (const what of ["write sub.txt text", "run touch sub.txt"]) {
              const turn = yield* send(server, id, `delegate @${mode.toLowerCase()} ${what}`)
              const ended = server.client.turns.get({ params: { id, turnId: turn.id }, query: {} })
              yield* until(
                Effect.andThen(
                  decline,
                  Effect.map(ended, ({ status }) => over.has(status))
                )
              )
              assert.strictEqual(
                (yield* settled(server, id, turn.id)).status,
                "completed",
                `${mode}: ${what}`
              )
              assert.isFalse(yield* ground.fs.exists(`${ground.at("repo")}/sub.txt`), `${mode}: ${what}`)
            }
          }
          assert.deepEqual(
            asked,
            own.flatMap(() => ["Write", "Bash"])
          )
          // The session is the one that it was.
          assert.lengthOf(yield* receipts(server, id), 1)
        })
      )
  )

  it.live(
    "an error of the API that calls itself a success is a failed turn; retries are bounded, and told",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const server = yield* ground.start()
          const { id } = yield* start(ground, server)
          const failed = yield* say(server, id, "fail 529")
          assert.strictEqual(failed.status, "failed")
          assert.deepInclude({ ...failed.error }, { _tag: "ProviderFailed" })
          assert.deepInclude({ ...failed.error }, { detail: { reason: "api_error", statusCode: 529 } })
          const retry = yield* event(server, id, "warning", ({ data }) =>
            JSON.stringify(data).includes("retry")
          )
          assert.deepInclude({ ...(retry.data as object) }, { retry: 1 })
          const tries = ground.model.requests().filter(({ said }) => said.at(-1) === "fail 529").length
          assert.strictEqual(tries, 3)
          assert.strictEqual((yield* say(server, id, "two")).output, "one | fail 529 | two")
        })
      )
  )

  it.live(
    "a conversation that Claude does not write down is told after its first turn, and is not reaped",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* makeWorld({ agents: ["claude", "codex"] })
          yield* ground.configure({ reaper: { idleSeconds: 1, sweepSeconds: 1 } })
          yield* ground.fs.writeFileString(ground.at("claude/projects"), "no directory\n")
          const server = yield* ground.start()
          const { id } = yield* start(ground, server)
          const warning = yield* event(server, id, "warning")
          assert.include(JSON.stringify(warning.data), "does not write this conversation down")
          // One that was idle for as long, and is written down, is reaped.
          const other = yield* open(server, ground.at("repo"), "full-access", codex)
          yield* say(server, other, "one")
          yield* event(server, other, "session.reaped")
          assert.strictEqual((yield* say(server, id, "two")).output, "one | two")
        })
      )
  )

  it.live("N7: a conversation that Claude is about to delete is told", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        const { id, sessionId } = yield* told(ground)
        const [path] = yield* transcriptsOf(ground, sessionId)
        const { mtime } = yield* ground.fs.stat(path ?? "")
        const old = Option.getOrThrow(mtime).getTime() / 1000 - 20 * 86_400
        yield* ground.fs.utimes(path ?? "", old, old)
        const server = yield* ground.start()
        assert.strictEqual((yield* say(server, id, "two")).output, "one | two")
        const warning = yield* event(server, id, "warning")
        assert.include(JSON.stringify(warning.data), "was not used for 20 days")
      })
    )
  )

  it.live(
    "T5: a command that would leave the conversation is refused; one that Claude answers itself is told so",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const server = yield* ground.start()
          const { id, sessionId } = yield* start(ground, server)
          const clear = yield* say(server, id, "/clear")
          assert.strictEqual(clear.status, "failed")
          assert.include(clear.error?.message, "reset or fork the thread instead")
          const cost = yield* say(server, id, "/cost")
          assert.strictEqual(cost.status, "completed")
          assert.include(cost.output, "Estimated cost")
          assert.strictEqual((yield* say(server, id, "two")).output, "one | two")
          const [receipt] = yield* receipts(server, id)
          assert.strictEqual(receipt?.providerSessionIdAfter, sessionId)
        })
      )
  )

  it.live("full access for root, which Claude refuses, is an error that says what to do", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        const [provider] = ground.providers
        const env = { ...provider?.env, IS_SANDBOX: "0" }
        yield* ground.configure({ providers: [{ ...provider, env }] })
        const server = yield* ground.start()
        const id = yield* open(server, ground.at("repo"), "full-access", claude)
        const turn = yield* say(server, id, "one")
        if (process.getuid?.() === 0) {
          assert.strictEqual(turn.error?._tag, "ProviderFailed")
          assert.include(JSON.stringify(turn.error), "IS_SANDBOX=1")
        } else assert.strictEqual(turn.status, "completed")
      })
    )
  )

  it.live("law 2: a directory that cannot be read proves nothing: refused, and found again when it can", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        const { id } = yield* told(ground)
        const projects = ground.at("claude/projects")
        yield* ground.fs.rename(projects, ground.at("kept"))
        yield* ground.fs.symlink("projects", projects)
        const server = yield* ground.start()
        assert.strictEqual((yield* say(server, id, "two")).error?._tag, "ProbeInconclusive")
        yield* ground.fs.remove(projects)
        yield* ground.fs.rename(ground.at("kept"), projects)
        assert.strictEqual((yield* say(server, id, "three")).output, "one | three")
      })
    )
  )

  it.live("a first thread in a home that is not there yet is found again", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        const [provider] = ground.providers
        const env = { ...provider?.env, CLAUDE_CONFIG_DIR: ground.at("fresh/claude") }
        yield* ground.configure({ providers: [{ ...provider, env }] })
        const server = yield* ground.start()
        const { id } = yield* start(ground, server)
        yield* server.client.sessions.stop({ params: { id } })
        assert.strictEqual((yield* say(server, id, "two")).output, "one | two")
      })
    )
  )

  it.live(
    "law 4: a command of the repository's that runs a shell by itself does not run where a mode asks",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const flag = `${ground.at("other")}/flag.txt`
          yield* ground.fs.makeDirectory(`${ground.at("repo")}/.claude/commands`, { recursive: true })
          yield* ground.fs.writeFileString(
            `${ground.at("repo")}/.claude/commands/sly.md`,
            `---\nallowed-tools: Bash(python3:*)\n---\n!\`python3 -c "open('${flag}', 'w')"\`\nSay hello.\n`
          )
          yield* ground.fs.writeFileString(`${ground.at("repo")}/.claude/commands/plain.md`, "Say hello.\n")
          const server = yield* ground.start()
          for (const mode of ["read-only", "approval-required", "auto-accept-edits"] as const) {
            const id = yield* open(server, ground.at("repo"), mode, claude)
            yield* say(server, id, "/sly")
            assert.isFalse(yield* ground.fs.exists(flag), mode)
          }
          // With full access it runs, and its turn is in the conversation like any other.
          const { id } = yield* start(ground, server)
          assert.strictEqual((yield* say(server, id, "/plain")).status, "completed")
          assert.match((yield* say(server, id, "two")).output, /^one.*two$/s)
          yield* server.client.sessions.stop({ params: { id } })
          assert.match((yield* say(server, id, "three")).output, /^one.*three$/s)
        })
      )
  )

  it.live("law 4: auto-accept-edits is for the thread's directory, whatever the user's settings allow", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        const permissions = { allow: ["Write", "Edit"], additionalDirectories: [ground.at("other")] }
        yield* ground.fs.writeFileString(ground.at("claude/settings.json"), JSON.stringify({ permissions }))
        const server = yield* ground.start()
        const id = yield* open(server, ground.at("repo"), "auto-accept-edits", claude)
        yield* say(server, id, "write inside.txt text")
        assert.isTrue(yield* ground.fs.exists(`${ground.at("repo")}/inside.txt`))
        const turn = yield* send(server, id, `write ${ground.at("other")}/outside.txt text`)
        yield* event(server, id, "request.opened", ({ turnId }) => turnId === turn.id)
        assert.isFalse(yield* ground.fs.exists(`${ground.at("other")}/outside.txt`))
        yield* server.client.sessions.interrupt({ params: { id } })
      })
    )
  )

  it.live("law 6: a steer that meets an interrupt is part of a turn of ours, or is not run at all", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        const server = yield* ground.start()
        const { id } = yield* start(ground, server)
        for (const i of [1, 2, 3]) {
          const held = yield* send(server, id, "hold on")
          yield* event(server, id, "turn.started", ({ turnId }) => turnId === held.id)
          const text = `steer ${i}`
          const steer = server.client.turns.send({
            params: { id },
            payload: { input: text, delivery: "steer" }
          })
          const interrupt = server.client.sessions.interrupt({ params: { id } })
          const [steered] = yield* Effect.all([steer, interrupt], { concurrency: 2 })
          assert.strictEqual((yield* settled(server, id, held.id)).status, "interrupted")
          if (steered.id !== held.id) yield* settled(server, id, steered.id)
          yield* say(server, id, `after ${i}`)
          const asked = ground.model.requests().filter(({ said }) => said.at(-1) === text)
          assert.strictEqual(asked.length > 0, steered.id !== held.id)
        }
      })
    )
  )

  it.live("C34: what goes on in the background keeps its session, and what it leads to is told", () =>
    live(
      Effect.gen(function* () {
        const ground = yield* world
        yield* ground.configure({ reaper: { idleSeconds: 1, sweepSeconds: 1 } })
        const server = yield* ground.start()
        const { id } = yield* start(ground, server)
        const flag = `${ground.at("other")}/go`
        const turn = yield* say(
          server,
          id,
          `later until test -e ${flag}; do sleep 0.1; done; echo it is done`
        )
        assert.strictEqual(turn.status, "completed")
        // One that has nothing to do is reaped meanwhile.
        const other = yield* start(ground, server)
        yield* event(server, other.id, "session.reaped")
        assert.isAbove((yield* processesWith(`CLAUDE_CONFIG_DIR=${ground.at("claude")}`)).length, 0)
        yield* ground.fs.writeFileString(flag, "")
        // Claude begins a turn by itself: its answer belongs to the thread.
        yield* event(server, id, "item.completed", ({ itemId }) => itemId?.startsWith("late-") === true)
        // Then nothing goes on any more.
        yield* event(server, id, "session.reaped")
        assert.match((yield* say(server, id, "two")).output, /two$/)
      })
    )
  )

  it.live(
    "law 9: a kill -9 of us in mid-turn: Claude and its tool are gone before the conversation goes on",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const server = yield* ground.start()
          const { id } = yield* start(ground, server)
          const late = `${ground.at("other")}/late.txt`
          const turn = yield* send(server, id, `run python3 -c "import time; time.sleep(600)"; touch ${late}`)
          yield* event(server, id, "item.started", ({ data }) => JSON.stringify(data).includes('"command"'))
          const ours = processesWith(`CLAUDE_CONFIG_DIR=${ground.at("claude")}`)
          yield* until(Effect.map(ours, (pids) => pids.length >= 2))
          yield* server.kill
          assert.isAbove((yield* ours).length, 0, "measured: they outlive us")
          const again = yield* ground.start()
          // What looks for the agent's version is none of those; one that ended since has no command any more.
          const left = yield* Effect.flatMap(ours, (pids) => Effect.forEach(pids, commandOf))
          assert.deepEqual(
            left.filter((command) => command !== "" && !command.endsWith("--version")),
            []
          )
          assert.strictEqual((yield* settled(again, id, turn.id)).status, "interrupted")
          const after = yield* say(again, id, "two")
          assert.match(after.output, /^one.*two$/, JSON.stringify(after.error))
          assert.isFalse(yield* ground.fs.exists(late))
        })
      )
  )

  it.live(
    "measured: the mode is not restored by a resume; CwdUnavailable: a deleted directory is refused first",
    () =>
      live(
        Effect.gen(function* () {
          const ground = yield* world
          const server = yield* ground.start()
          const { id, sessionId } = yield* start(ground, server, ground.at("tree2"))
          yield* server.client.sessions.stop({ params: { id } })
          yield* Effect.scoped(
            Effect.gen(function* () {
              const raw = yield* rawClaude(ground, ground.at("tree2"), ["--resume", sessionId])
              yield* raw.say("run touch raw.txt")
              assert.isFalse(yield* ground.fs.exists(`${ground.at("tree2")}/raw.txt`))
            })
          )
          yield* ground.git(ground.at("repo"), "worktree", "remove", "--force", ground.at("tree2"))
          assert.strictEqual((yield* say(server, id, "two")).error?._tag, "CwdUnavailable")
          yield* server.client.sessions.move({ params: { id }, payload: { cwd: ground.at("tree") } })
          assert.include((yield* say(server, id, "run pwd")).output, ground.at("tree"))
        })
      )
  )
})
