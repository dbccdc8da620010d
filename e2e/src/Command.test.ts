import { assert, describe, it } from "@effect/vitest"
import { Receipt } from "@rejoin/contracts/Receipt"
import { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { ServerFile } from "@rejoin/contracts/ServerFile"
import { Thread } from "@rejoin/contracts/Thread"
import { Turn } from "@rejoin/contracts/Turn"
import { Effect, Schema } from "effect"
import { inTerminal, rejoin, started } from "./CommandLine.ts"
import { event, live, makeWorld, open, say, until, type World } from "./World.ts"

const read = <S extends Schema.Decoder<unknown>>(schema: S, text: string) =>
  Schema.decodeSync(Schema.fromJsonString(schema))(text)

const endServer = Effect.fn("endServer")(function* (world: World) {
  const file = `${world.home}/server.json`
  const { pid } = read(ServerFile, yield* world.fs.readFileString(file))
  process.kill(pid, "SIGTERM")
  yield* until(Effect.map(world.fs.exists(file), (there) => !there))
})

describe("the command, on the real OpenCode", () => {
  it.live(
    "a script: says, follows up, looks, moves and forks; each failure has its words and its exit code",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          // No server runs: the first command starts one, which stays.
          yield* Effect.addFinalizer(() => Effect.ignore(endServer(world)))
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
          assert.include(accepted.out, `$ touch yes; pwd\n  ${world.at("repo")}\n`)
          assert.isTrue(yield* world.fs.exists(world.at("repo/yes")))

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
          assert.include(failed.out, "failed: ")
          const nobody = yield* rejoin(world, "show", "thr_nobody", "--json")
          assert.strictEqual(nobody.code, 1)
          assert.deepNestedInclude(JSON.parse(nobody.err), { "error._tag": "ThreadNotFound" })
          const both = yield* rejoin(world, "show", "thr_")
          assert.include(both.err, "2 threads begin with thr_")
          assert.strictEqual((yield* rejoin(world, "mode", id, "sudo")).code, 2)
          const late = yield* rejoin(world, "send", "-t", id, "-m", "read-only", "x")
          assert.strictEqual(late.code, 1)
          assert.include(late.err, "--mode is for a new thread")
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

  it.live(
    "a person: answers at the prompt, ends a turn with Ctrl-C, and watches over a kill -9 of the server, without loss or doubles",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"), "approval-required")

          const asked = yield* inTerminal(world, "send", "-t", id, "run touch yes")
          yield* asked.shows("May it?")
          yield* asked.type("\r")
          assert.strictEqual((yield* asked.ended).code, 0)
          assert.isTrue(yield* world.fs.exists(world.at("repo/yes")))

          // Ctrl-C where it asks ends the turn too, and nothing was allowed by it.
          const left = yield* inTerminal(world, "send", "-t", id, "run touch no")
          yield* left.shows("May it?")
          yield* left.type("\u0003")
          assert.strictEqual((yield* left.ended).code, 130)
          const turns = yield* server.client.turns.list({ params: { id }, query: {} })
          assert.strictEqual(turns.items.at(-1)?.status, "interrupted")
          assert.isFalse(yield* world.fs.exists(world.at("repo/no")))

          const watching = yield* started(world, "watch", id, "--json")
          const watchingAll = yield* started(world, "watch")
          const held = yield* inTerminal(world, "send", "-t", id, "hold on")
          yield* held.shows("holding")
          yield* held.type("\u0003")
          assert.strictEqual((yield* held.ended).code, 130)
          // The turn has ended, the server has not.
          const { items } = yield* server.client.turns.list({ params: { id }, query: {} })
          assert.strictEqual(items.at(-1)?.status, "interrupted")
          yield* watching.shows("turn.interrupted")

          yield* server.client.turns.send({ params: { id }, payload: { input: "hold again" } })
          yield* event(server, id, "turn.started", ({ data }) => JSON.stringify(data).includes("hold again"))
          yield* server.kill
          const again = yield* world.start()
          yield* say(again, id, "after")
          yield* watching.shows(`"input":"after"`)
          yield* watching.shows("turn.completed")
          yield* watchingAll.shows(`── ${id}\n`)
          yield* watchingAll.shows("after\n")
          process.kill(watchingAll.pid, "SIGINT")
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
