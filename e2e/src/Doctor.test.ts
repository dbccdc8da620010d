import { rawCodex } from "./RawCodex.ts"
import { assert, describe, it } from "@effect/vitest"
import { ProviderSessionId } from "@rejoin/contracts/Ids"
import { Clock, Effect, Schema } from "effect"
import { createHash } from "node:crypto"
import { DatabaseSync } from "node:sqlite"
import { storeOf } from "./AgentHarness.ts"
import { claude, codex } from "./Agents.ts"
import { rejoin } from "./CommandLine.ts"
import {
  commandOf,
  event,
  live,
  makeWorld,
  open,
  processesWith,
  say,
  send,
  until,
  type World
} from "./World.ts"

const Report = Schema.fromJsonString(
  Schema.Struct({
    threads: Schema.Int,
    heldBy: Schema.NullOr(Schema.Int),
    findings: Schema.Array(
      Schema.Struct({
        check: Schema.String,
        about: Schema.String,
        severity: Schema.String,
        message: Schema.String,
        fix: Schema.optionalKey(Schema.String),
        fixed: Schema.Boolean
      })
    )
  })
)

const doctor = Effect.fnUntraced(function* (world: World, ...args: ReadonlyArray<string>) {
  const { code, err, out } = yield* rejoin(world, "doctor", "--json", ...args)
  if (out === "") return yield* Effect.die(`the doctor said nothing (${code}): ${err}`)
  return { code, ...(yield* Effect.orDie(Schema.decodeEffect(Report)(out))) }
})

/** Every file below, with its content, its mode and when it was changed; SQLite's own files beside a database left out. */
const treeOf = Effect.fnUntraced(function* ({ fs }: World, root: string) {
  const found = new Map<string, string>()
  for (const name of yield* fs.readDirectory(root, { recursive: true })) {
    const path = `${root}/${name}`
    const { mode, mtime, type } = yield* fs.stat(path)
    if (type !== "File" || /-(wal|shm|journal)$/.test(path)) continue
    const hash = createHash("sha256")
      .update(yield* fs.readFile(path))
      .digest("hex")
    found.set(path, JSON.stringify([hash, mode, mtime]))
  }
  return found
})

const changed = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) =>
  [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .toSorted()

describe("N7: the doctor, on real agents", () => {
  it.live(
    "a directory damaged in eleven ways, with a session that was adopted: twelve findings, the right fixes, and nothing else touched",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: ["codex", "claude"] })
          const { fs, home } = world
          const gone = { id: "gone", driver: "codex", binary: "/nowhere/codex" }
          // How far a copy of ours had come when it was killed, nobody knows.
          yield* world.configure({ providers: [...world.providers, gone], transcripts: { keep: false } })
          const repo = world.at("repo")
          const own = yield* Effect.scoped(
            Effect.gen(function* () {
              const raw = yield* rawCodex(world)
              const { id } = yield* raw.start(repo)
              yield* raw.turn(id, "one")
              return id
            })
          )
          const server = yield* world.start()
          const spoken = Effect.fnUntraced(function* (provider: typeof claude, cwd = repo) {
            const id = yield* open(server, cwd, "full-access", provider)
            yield* say(server, id, "one")
            const { session } = yield* server.client.threads.get({ params: { id } })
            return { id, session: ProviderSessionId.make(session.providerSessionId ?? "") }
          })
          const lost = yield* spoken(codex)
          const homeless = yield* spoken(claude, world.at("tree2"))
          const old = yield* spoken(claude)
          const garbled = yield* spoken(claude)
          const owner = yield* spoken(claude)
          const thief = yield* spoken(claude)
          const unread = yield* spoken(claude)

          const adopted = yield* server.client.threads.create({ payload: { provider: codex, session: own } })

          // Under a server that works there is nothing wrong but the agent that is not there, and nothing is fixed.
          const working = yield* doctor(world)
          assert.deepEqual(
            working.findings.map(({ about, check }) => [check, about]),
            [["agent", "gone"]]
          )
          assert.strictEqual(working.heldBy, server.pid)
          const refused = yield* rejoin(world, "doctor", "--fix")
          assert.strictEqual(refused.code, 1)
          assert.include(refused.err, "Stop the server first")

          // A kill of us and of Codex in mid-turn leaves what its shell had started.
          const busy = yield* open(server, repo, "full-access", codex)
          yield* send(server, busy, "run sleep 600; true")
          yield* event(server, busy, "item.started", ({ data }) => JSON.stringify(data).includes("sleep 600"))
          const running = Effect.fnUntraced(function* (matches: RegExp) {
            const pids = yield* processesWith(`${world.root}/`)
            const commands = yield* Effect.forEach(pids, commandOf)
            return pids.filter((_, i) => matches.test(commands[i] ?? ""))
          })
          const left = running(/^sleep 600$/)
          yield* until(Effect.map(left, (pids) => pids.length > 0))
          const [appServer = 0] = yield* running(/app-server/)
          // Stopped, it cannot end its tools when it sees that we are gone.
          process.kill(appServer, "SIGSTOP")
          yield* server.kill
          process.kill(appServer, "SIGKILL")
          yield* until(Effect.map(running(/app-server|stream-json/), (pids) => pids.length === 0))

          yield* storeOf("codex", world).lose(lost.session)
          yield* storeOf("codex", world).lose(ProviderSessionId.make(own))
          yield* fs.remove(world.at("tree2"), { recursive: true })
          const transcript = (yield* fs.readDirectory(world.at("claude/projects"), { recursive: true })).find(
            (name) => name.endsWith(`${old.session}.jsonl`)
          )
          const transcriptPath = `${world.at("claude/projects")}/${transcript ?? ""}`
          const longAgo = (yield* Clock.currentTimeMillis) / 1000 - 25 * 86_400
          yield* fs.utimes(transcriptPath, longAgo, longAgo)
          yield* fs.chmod(`${home}/token`, 0o644)
          yield* fs.makeDirectory(`${home}/scratch`, { mode: 0o700 })
          yield* fs.writeFileString(`${home}/scratch/trm_x.jsonl`, "{}\n", { mode: 0o600 })
          const db = new DatabaseSync(`${home}/rejoin.db`)
          db.exec("DROP INDEX one_thread_an_upstream_session")
          db.prepare(
            "UPDATE provider_session_runtime SET resume_cursor_json = '{\"v\":' WHERE thread_id = ?"
          ).run(garbled.id)
          db.prepare(
            `UPDATE provider_session_runtime SET (provider_session_id, resume_cursor_json, mark) =
             (SELECT provider_session_id, resume_cursor_json, mark FROM provider_session_runtime WHERE thread_id = ?)
           WHERE thread_id = ?`
          ).run(owner.id, thief.id)
          db.prepare("UPDATE thread SET record_json = 'x' WHERE id = ?").run(unread.id)
          db.close()

          const before = yield* treeOf(world, home)
          const transcripts = yield* treeOf(world, world.at("claude/projects"))
          const sleeping = yield* left
          assert.isNotEmpty(sleeping)
          const found = yield* doctor(world)
          assert.strictEqual(found.code, 1)
          const expected: ReadonlyArray<readonly [string, string, boolean]> = [
            ["agent", "gone", false],
            ["conversation", lost.id, false],
            ["conversation", adopted.id, false],
            ["directory", homeless.id, false],
            ["transcript", old.id, true],
            ["conversation", garbled.id, false],
            ["owners", [owner.id, thief.id].join(", "), false],
            ["database", unread.id, false],
            ["permissions", `${home}/token`, true],
            ["server.json", `${home}/server.json`, true],
            ["leftovers", `${home}/scratch/trm_x.jsonl`, true],
            ["processes", sleeping.join(", "), true]
          ]
          const byCheck = (a: ReadonlyArray<unknown>, b: ReadonlyArray<unknown>) =>
            String(a) < String(b) ? -1 : 1
          assert.deepEqual(
            found.findings
              .map(({ about, check, fix }) => [check, about, fix !== undefined])
              .toSorted(byCheck),
            [...expected].map((row) => [...row]).toSorted(byCheck)
          )
          // Looking has changed nothing.
          assert.deepEqual(changed(before, yield* treeOf(world, home)), [])
          assert.deepEqual(changed(transcripts, yield* treeOf(world, world.at("claude/projects"))), [])
          assert.deepEqual(yield* left, sleeping)

          const treated = yield* doctor(world, "--fix")
          for (const { fix, fixed } of treated.findings) assert.strictEqual(fixed, fix !== undefined)
          assert.deepEqual(
            changed(before, yield* treeOf(world, home)),
            [`${home}/scratch/trm_x.jsonl`, `${home}/server.json`, `${home}/token`].toSorted()
          )
          assert.deepEqual(changed(transcripts, yield* treeOf(world, world.at("claude/projects"))), [
            transcriptPath
          ])
          assert.isEmpty(yield* left)
          const again = yield* doctor(world)
          assert.deepEqual(
            again.findings.map(({ about, check }) => [check, about]).toSorted(byCheck),
            expected
              .filter(([, , fixable]) => !fixable)
              .map(([check, about]) => [check, about])
              .toSorted(byCheck)
          )
        })
      )
  )

  it.live(
    "a configuration, a database and a place that cannot be used are findings too; an empty home is none",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: ["claude"] })
          const { fs, home } = world
          assert.deepEqual((yield* doctor(world)).findings, [])
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"), "full-access", claude)
          yield* say(server, id, "one")
          assert.strictEqual(yield* server.stop, 0)
          const healthy = yield* doctor(world)
          assert.deepInclude({ code: healthy.code, threads: healthy.threads }, { code: 0, threads: 1 })
          assert.deepEqual(healthy.findings, [])

          yield* fs.writeFileString(`${home}/config.json`, '{"providers": 1}')
          const misconfigured = yield* doctor(world)
          assert.deepEqual(
            misconfigured.findings.map(({ check }) => check),
            ["config"]
          )
          yield* world.configure({})
          yield* fs.writeFileString(`${home}/rejoin.db`, "no database".repeat(1000))
          const broken = yield* doctor(world, "--fix")
          assert.deepEqual(
            broken.findings.map(({ check, fixed }) => [check, fixed]),
            [["database", false]]
          )
          const people = yield* rejoin(world, "doctor")
          assert.strictEqual(people.code, 1)
          assert.include(people.out, "✗ database")
          assert.include(people.out, "Restore it from a copy.")
        })
      )
  )
})
