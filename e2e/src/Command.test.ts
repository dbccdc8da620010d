import { assert, describe, it } from "@effect/vitest"
import { Receipt } from "@rejoin/contracts/Receipt"
import { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Thread } from "@rejoin/contracts/Thread"
import { Turn } from "@rejoin/contracts/Turn"
import { Effect, Schema } from "effect"
import { execFileSync } from "node:child_process"
import { createServer, get } from "node:http"
import type { AddressInfo } from "node:net"
import { inTerminal, rejoin, started } from "./CommandLine.ts"
import { event, live, makeWorld, open, processesWith, say } from "./World.ts"

const read = <S extends Schema.Decoder<unknown>>(schema: S, text: string) =>
  Schema.decodeSync(Schema.fromJsonString(schema))(text)

const Shown = Schema.Struct({ thread: Thread, turns: Schema.Array(Turn) })

describe("the command, on the real OpenCode", () => {
  it.live(
    "a script: says, follows up, looks, moves and forks; each failure has its words and its exit code",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          // No server runs: the first command starts one, which stays.
          yield* Effect.addFinalizer(() => Effect.ignore(rejoin(world, "serve", "--stop")))
          const json = Effect.fnUntraced(function* <S extends Schema.Decoder<unknown>>(
            schema: S,
            ...args: ReadonlyArray<string>
          ) {
            const { code, err, out } = yield* rejoin(world, ...args, "--json")
            assert.strictEqual(code, 0, err)
            return read(schema, out)
          })
          const first = yield* json(Turn, "send", "one", "--mode", "approval-required")
          assert.deepInclude({ ...first }, { status: "completed", output: "one" })
          const id = first.threadId
          // The latest of this directory: the same conversation, said before it is said in.
          const second = yield* rejoin(world, "send", "two")
          assert.strictEqual(second.code, 0)
          assert.include(second.err, `In ${id} (opencode, approval-required) in ${world.at("repo")}`)
          assert.strictEqual(second.out, "one | two\n")

          const declined = yield* rejoin(world, "send", "run touch no", "--answer", "decline")
          assert.strictEqual(declined.code, 0)
          assert.include(declined.err, "$ touch no")
          assert.isFalse(yield* world.fs.exists(world.at("repo/no")))
          const accepted = yield* rejoin(world, "send", "run touch yes; pwd", "--answer", "accept")
          // The answer is all that a program reads; what was done for it stands beside it.
          assert.strictEqual(accepted.out, `result: ${world.at("repo")}\n`)
          assert.include(accepted.err, "$ touch yes; pwd\n")
          assert.include(accepted.err, `  ${world.at("repo")}\n`)
          assert.isTrue(yield* world.fs.exists(world.at("repo/yes")))

          // Nobody chooses for a person: the turn that asks a question ends.
          const unasked = yield* rejoin(world, "send", "ask me", "--answer", "decline")
          assert.strictEqual(unasked.code, 130)
          assert.include(unasked.err, "The agent asks: Which?")

          yield* json(Thread, "mode", id, "full-access")
          const moved = yield* json(Receipt, "move", id, "../tree")
          assert.deepInclude(
            { ...moved },
            { outcome: "forked", cwdVerified: world.at("tree"), runtimeModeVerified: "full-access" }
          )
          const forked = yield* json(Thread, "fork", id, "-C", world.at("repo"))
          assert.deepInclude({ ...forked }, { forkedFrom: { threadId: id }, cwd: world.at("repo") })
          const history = yield* json(Turn, "send", "-t", forked.id, "three")
          assert.match(history.output, /^one \| two \| .* \| three$/)
          assert.lengthOf(yield* json(Schema.Array(Thread), "threads"), 2)
          const receipts = yield* rejoin(world, "receipts", id)
          assert.include(receipts.out, `  directory  ${world.at("tree")} (read back)`)

          const failed = yield* rejoin(world, "send", "-t", id, "fail 400")
          assert.strictEqual(failed.code, 1)
          assert.include(failed.err, "failed: ")
          const nobody = yield* rejoin(world, "show", "thr_nobody", "--json")
          assert.strictEqual(nobody.code, 1)
          assert.deepNestedInclude(JSON.parse(nobody.err), { "error._tag": "ThreadNotFound" })
          // What only happens to be in an id names nothing: rm would take it.
          const short = yield* rejoin(world, "rm", id.slice(-3))
          assert.strictEqual(short.code, 1)
          assert.include(short.err, "Four characters")
          const both = yield* rejoin(world, "show", id.slice(0, 9))
          assert.strictEqual(both.code, 2)
          assert.include(both.err, "2 threads match:")
          const completions = yield* rejoin(world, "--completions", "bash")
          assert.match(completions.out, /send[^]*resume[^]*receipts/)
          execFileSync("bash", ["-n"], { input: completions.out })
          // A part of the id that no other has is enough.
          assert.strictEqual((yield* json(Shown, "show", id.slice(-8))).thread.id, id)
          assert.strictEqual((yield* rejoin(world, "mode", id, "sudo")).code, 2)
          const late = yield* rejoin(world, "send", "-t", id, "-m", "read-only", "x")
          assert.strictEqual(late.code, 2)
          assert.include(late.err, "--mode is for a new thread")
          const nowhere = yield* rejoin(world, "send", "-n", "-p", "nobody", "x")
          assert.strictEqual(nowhere.code, 2)
          assert.include(nowhere.err, "There is no agent nobody.")
          const idle = yield* rejoin(world, "interrupt", id)
          assert.strictEqual(idle.code, 1)
          assert.include(idle.err, "No turn is running.")
          const wrong = yield* rejoin(world, "send", "--no-such-flag", "x")
          assert.strictEqual(wrong.code, 2)
          assert.include(wrong.err, "--no-such-flag")
          assert.isBelow(`${wrong.out}${wrong.err}`.split("\n").length, 5, "no help that nobody asked for")
          yield* world.fs.writeFileString(world.at("repo/note.txt"), "what stands in the file")
          yield* rejoin(world, "send", "-t", id, "look at it", "--file", "note.txt")
          // What no model takes would stand in the conversation for good: it is refused, and the next turn runs.
          yield* world.fs.writeFile(world.at("repo/blob.bin"), new Uint8Array([0, 1, 2, 0]))
          const unfit = yield* rejoin(world, "send", "-t", id, "and this", "--file", "blob.bin")
          assert.strictEqual(unfit.code, 1)
          assert.include(unfit.err, "cannot take the attachment blob.bin")
          assert.strictEqual((yield* rejoin(world, "send", "-t", id, "after it")).code, 0)
          const asked = world.model
            .requests()
            .findLast(({ said }) => said.some((text) => text.includes("look at it")))
          assert.include(JSON.stringify(asked?.body), "what stands in the file")

          // What became of the conversation is told to scripts too, both ways.
          yield* rejoin(world, "reset", id)
          assert.include((yield* rejoin(world, "show", id)).out, "begins anew")
          const anew = yield* rejoin(world, "send", "-t", id, "afresh", "--json")
          assert.include(
            anew.err,
            "Began anew: the thread was reset. The agent knows nothing of what was said before."
          )
          assert.deepNestedInclude(JSON.parse(anew.out), { output: "afresh", "receipt.outcome": "replaced" })
          const shown = yield* rejoin(world, "show", id)
          assert.match(shown.out, /── Began anew: .* ──\n\n> afresh\nafresh\n/)

          yield* rejoin(world, "rename", id, "Another name")
          const listed = (yield* rejoin(world, "threads", "--here")).out
          const [end = ""] = listed.trimEnd().split("\n").at(-1)?.split(" ") ?? []
          assert.isTrue(forked.id.endsWith(end) && end.length >= 4, listed)
          assert.include((yield* rejoin(world, "show", end)).out, forked.id)
          assert.notInclude((yield* rejoin(world, "threads", "--here")).out, "Another name")
          yield* rejoin(world, "rm", id)
          assert.lengthOf(yield* json(Schema.Array(Thread), "threads"), 1)
          assert.include((yield* rejoin(world, "serve", "--stop")).out, "has ended")
          assert.isFalse(yield* world.fs.exists(`${world.home}/server.json`))
          assert.strictEqual((yield* rejoin(world, "serve", "--stop")).code, 3)
          // It has ended: another one works on the same data at once.
          assert.lengthOf(yield* json(Schema.Array(Thread), "threads"), 1)
        })
      )
  )

  it.live(
    "several at once where no server runs are all answered, by one; a directory is looked at and trusted",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          yield* Effect.addFinalizer(() => Effect.ignore(rejoin(world, "serve", "--stop")))
          const names = ["a", "b", "c", "d"]
          const all = yield* Effect.forEach(names, () => rejoin(world, "threads", "--json"), {
            concurrency: "unbounded"
          })
          for (const { code, err } of all) assert.strictEqual(code, 0, err)
          assert.lengthOf(yield* processesWith(`REJOIN_HOME=${world.home}`), 1)

          const plugin = world.at("repo/.opencode/plugin/own.js")
          yield* world.fs.makeDirectory(world.at("repo/.opencode/plugin"), { recursive: true })
          yield* world.fs.writeFileString(plugin, "export const P = async () => ({})\n")
          const send = rejoin(world, "send", "--new", "one")
          const refused = yield* send
          assert.strictEqual(refused.code, 1)
          assert.include(refused.err, "rejoin trust")
          const looked = yield* rejoin(world, "trust")
          assert.strictEqual(looked.code, 2)
          assert.include(looked.out, ".opencode/plugin")
          assert.include(looked.err, "Nothing was trusted.")
          assert.include((yield* rejoin(world, "trust", "--list")).out, "No directory is trusted.")
          assert.strictEqual((yield* rejoin(world, "trust", "--yes")).code, 0)
          assert.include((yield* rejoin(world, "trust", "--list")).out, world.at("repo"))
          const trusted = yield* send
          assert.strictEqual(trusted.out, "one\n", trusted.err)
          // What is there now is something else than what was looked at.
          yield* world.fs.writeFileString(plugin, "export const P = async () => ({ tool: {} })\n")
          assert.strictEqual((yield* send).code, 1)
          assert.strictEqual((yield* rejoin(world, "trust", "--revoke")).code, 0)
          assert.include((yield* rejoin(world, "trust", "--list")).out, "No directory is trusted.")
        })
      )
  )

  it.live("G3: a backup of a server that runs, in whose place the threads are again", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const server = yield* world.start()
        const id = yield* open(server, world.at("repo"))
        yield* say(server, id, "before the backup")
        const file = world.at("copy.db")
        const made = yield* rejoin(world, "backup", file)
        assert.strictEqual(made.code, 0, made.err)
        assert.strictEqual((yield* world.fs.stat(file)).mode & 0o777, 0o600)
        const again = yield* rejoin(world, "backup", file)
        assert.strictEqual(again.code, 2)
        assert.include(again.err, "already exists")
        yield* say(server, id, "after the backup")
        assert.strictEqual((yield* rejoin(world, "backup", "--restore", file)).code, 2, "a server runs")
        // After a crash, with a log of its own beside the database.
        yield* server.kill
        const back = yield* rejoin(world, "backup", "--restore", file)
        assert.strictEqual(back.code, 0, back.err)
        const later = yield* world.start()
        const { items } = yield* later.client.turns.list({ params: { id }, query: {} })
        assert.deepEqual(
          items.map(({ input }) => input),
          ["before the backup"]
        )
        // What was said since is found at the agent, as what was said there.
        const next = yield* say(later, id, "and now")
        assert.strictEqual(next.output, "before the backup | after the backup | and now")
        yield* world.fs.writeFileString(`${world.home}/rejoin.db`, "no database")
        const damaged = yield* rejoin(world, "backup", world.at("other.db"))
        assert.strictEqual(damaged.code, 1)
        assert.isFalse(yield* world.fs.exists(world.at("other.db.part")))
      })
    )
  )

  it.live("no server answers where one is named: exit code 3, and none is started", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const named = { REJOIN_URL: "http://127.0.0.1:9", REJOIN_TOKEN: "x" }
        const environment = { ...world.environment, ...named }
        const away = yield* rejoin({ ...world, environment }, "threads")
        assert.strictEqual(away.code, 3)
        assert.include(away.err, "Nobody answers on http://127.0.0.1:9.")
        assert.isFalse(yield* world.fs.exists(`${world.home}/server.json`))
      })
    )
  )

  it.live("a token is told to the server of its directory alone, whoever chose it", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        // One that its operator chose: the server proves itself all the same.
        const chosen = { REJOIN_TOKEN: "chosen by hand" }
        const server = yield* world.start({ ...chosen, REJOIN_HOSTS: "phone.example" })
        // By another name it is reached where its operator lists that.
        const statusFor = (host: string) =>
          Effect.callback<number | undefined>((resume) => {
            const headers = { host, authorization: `Bearer ${chosen.REJOIN_TOKEN}` }
            get(`${server.url}/api/threads`, { headers }, (answer) => {
              answer.resume()
              resume(Effect.succeed(answer.statusCode))
            })
          })
        assert.strictEqual(yield* statusFor("phone.example"), 200)
        assert.strictEqual(yield* statusFor("other.example"), 403)
        const by = { ...world, environment: { ...world.environment, ...chosen } }
        const listed = yield* rejoin(by, "threads", "--json")
        assert.strictEqual(listed.code, 0, listed.err)
        const file = `${world.home}/server.json`
        const { proofKey } = JSON.parse(yield* world.fs.readFileString(file)) as { readonly proofKey: string }
        yield* server.stop

        // It is gone; its port is somebody else's now, who answers as it did, as far as he can.
        const told: Array<string | undefined> = []
        const decoy = createServer((request, response) => {
          told.push(request.headers.authorization)
          response.setHeader("content-type", "application/json")
          response.end(JSON.stringify({ status: "ok", version: "0", proof: proofKey, items: [] }))
        })
        const url = yield* Effect.callback<string>((resume) => {
          decoy.listen(0, "127.0.0.1", () => {
            const { port } = decoy.address() as AddressInfo
            resume(Effect.succeed(`http://127.0.0.1:${port}`))
          })
        })
        yield* Effect.addFinalizer(() => Effect.sync(() => decoy.close()))
        yield* world.fs.writeFileString(
          file,
          JSON.stringify({ pid: process.pid, url, version: "0", proofKey: "of a run that has ended" })
        )
        yield* world.fs.writeFileString(
          `${world.home}/token`,
          "a token that has thirty-two characters, or more"
        )
        const named = { ...world, environment: { ...world.environment, REJOIN_URL: url } }
        const refused = yield* rejoin(named, "threads")
        assert.strictEqual(refused.code, 3)
        assert.include(refused.err, "is not the server of this data directory")
        // Where none is named, one is started.
        yield* Effect.addFinalizer(() => Effect.ignore(rejoin(world, "serve", "--stop")))
        assert.strictEqual((yield* rejoin(world, "threads")).code, 0)
        assert.isAbove(told.length, 0)
        assert.deepEqual(
          told.filter((header) => header !== undefined),
          []
        )
      })
    )
  )

  it.live("Codex and Claude: a new thread by name, a follow-up, and what they ask", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld({ agents: ["codex", "claude"] })
        yield* world.start()
        for (const agent of ["codex", "claude"]) {
          const first = yield* rejoin(world, "send", "--new", "-p", agent, "-m", "approval-required", "one")
          assert.strictEqual(first.out, "one\n", first.err)
          const second = yield* rejoin(world, "send", `write ${agent}.txt`, "--answer", "accept")
          assert.include(second.err, `(${agent}, approval-required)`)
          assert.strictEqual(second.code, 0, second.err)
          assert.isTrue(yield* world.fs.exists(world.at(`repo/${agent}.txt`)))
          const third = yield* rejoin(world, "send", "two")
          assert.match(third.out, /^one \|.*\| two\n$/)
        }
        const providers = yield* rejoin(world, "providers")
        assert.match(providers.out, /^codex +codex +\S+ +ready/m)
      })
    )
  )

  it.live(
    "a person: answers at the prompt, ends a turn with Ctrl-C, and watches over a kill -9 of the server, without loss or doubles",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"), "approval-required")

          const asked = yield* inTerminal(world, "send", "-t", id, "run touch yes")
          yield* asked.shows("Allow it?")
          yield* asked.type("y\r")
          assert.strictEqual((yield* asked.ended).code, 0)
          assert.isTrue(yield* world.fs.exists(world.at("repo/yes")))

          // What was typed before it was asked allows nothing, nor does a line that says something else.
          const ahead = yield* inTerminal(world, "send", "-t", id, "run touch ahead")
          yield* ahead.type("y\r")
          yield* ahead.shows("Allow it?")
          yield* ahead.type("yes, but ask first\r")
          yield* ahead.shows("yes, but ask first\nAllow it?")
          yield* ahead.type("n\r")
          yield* ahead.ended
          assert.isFalse(yield* world.fs.exists(world.at("repo/ahead")))

          // Enter alone allows nothing; nor does a prompt stay open that was answered elsewhere.
          const careless = yield* inTerminal(world, "send", "-t", id, "run touch careless")
          yield* careless.shows("Allow it?")
          yield* careless.type("\r")
          yield* careless.ended
          assert.isFalse(yield* world.fs.exists(world.at("repo/careless")))
          const elsewhere = yield* inTerminal(world, "send", "-t", id, "run touch elsewhere")
          yield* elsewhere.shows("Allow it?")
          const watcher = yield* rejoin(world, "show", id)
          assert.include(watcher.out, `rejoin answer ${id}`)
          assert.strictEqual((yield* rejoin(world, "answer", id, "accept")).code, 0)
          assert.include((yield* elsewhere.ended).out, "It was answered elsewhere.")
          assert.isTrue(yield* world.fs.exists(world.at("repo/elsewhere")))
          assert.strictEqual((yield* rejoin(world, "answer", id, "accept")).code, 2)

          // A question is answered at the prompt with what is chosen.
          const question = yield* inTerminal(world, "send", "-t", id, "ask me")
          yield* question.shows("Which?")
          yield* question.type("\u001b[B")
          yield* question.type("\r")
          const chosen = yield* question.ended
          assert.strictEqual(chosen.code, 0)
          assert.include(chosen.out, `"B"`)

          // Ctrl-C where it asks ends the turn too, and nothing was allowed by it.
          const left = yield* inTerminal(world, "send", "-t", id, "run touch no")
          yield* left.shows("Allow it?")
          yield* left.type("\u0003")
          assert.strictEqual((yield* left.ended).code, 130)
          const turns = yield* server.client.turns.list({ params: { id }, query: {} })
          assert.strictEqual(turns.items.at(-1)?.status, "interrupted")
          assert.isFalse(yield* world.fs.exists(world.at("repo/no")))

          const watching = yield* started(world, "watch", id, "--json")
          const watchingAll = yield* inTerminal(world, "watch")
          const held = yield* inTerminal(world, "send", "-t", id, "hold on")
          yield* held.shows("holding")
          // Ctrl-C on a message that waits withdraws it, and nothing else; a steer joins the turn that runs.
          const waits = yield* inTerminal(world, "send", "-t", id, "never said")
          yield* waits.shows("It waits until")
          yield* waits.type("\u0003")
          assert.strictEqual((yield* waits.ended).code, 130)
          const steered = yield* started(world, "send", "-t", id, "--steer", "and this")
          yield* event(server, id, "item.completed", ({ data }) => JSON.stringify(data).includes("and this"))
          yield* steered.complains("It joined")
          process.kill(steered.pid, "SIGINT")
          assert.include((yield* steered.ended).err, "the turn that it joined goes on")
          yield* held.type("\u0003")
          assert.strictEqual((yield* held.ended).code, 130)
          // The turn has ended, the server has not.
          const { items } = yield* server.client.turns.list({ params: { id }, query: {} })
          assert.deepEqual(
            items.slice(-2).map(({ input, status }) => ({ input, status })),
            [
              { input: "hold on", status: "interrupted" },
              { input: "never said", status: "interrupted" }
            ]
          )
          assert.isFalse(world.model.requests().some(({ said }) => said.includes("never said")))
          yield* watching.shows("turn.interrupted")

          yield* server.client.turns.send({ params: { id }, payload: { input: "hold again" } })
          yield* event(server, id, "turn.started", ({ data }) => JSON.stringify(data).includes("hold again"))
          yield* server.kill
          const again = yield* world.start()
          yield* say(again, id, "after")
          yield* watching.shows(`"input":"after"`)
          yield* watching.shows("turn.completed")
          yield* watchingAll.shows(`── ${id}`)
          yield* watchingAll.shows("> after")
          yield* watchingAll.shows("The server is back.")
          yield* watchingAll.type("\u0003")
          assert.strictEqual((yield* watchingAll.ended).code, 130)
          process.kill(watching.pid, "SIGINT")
          const watched = yield* watching.ended
          assert.strictEqual(watched.code, 130)
          const seqs = watched.out
            .trim()
            .split("\n")
            .map((line) => read(RuntimeEvent, line).seq)
          assert.deepEqual(
            seqs,
            seqs.map((_, i) => (seqs[0] ?? 0) + i)
          )
          assert.include(watched.err, "The server is away: waiting for it.\nThe server is back.")
        })
      )
  )
})
