import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Agent, instances } from "./Agents.ts"
import { rejoin } from "./CommandLine.ts"
import { live, makeWorld, open, receipts, say, type Server, settled, type World } from "./World.ts"

const picture = {
  name: "dot.png",
  mediaType: "image/png",
  data: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
}

/** What the model was told when it was asked this; what the user said of it in order. */
const toldAt = (world: World, input: string) => {
  const asked = world.model.requests().findLast(({ said }) => said.at(-1) === input)
  // OpenCode tells a model that sees no pictures that there was one.
  const said = asked?.said.map((text) => (text.startsWith("look\n") ? "look" : text))
  return { said, body: JSON.stringify(asked?.body) }
}

const handOver = (server: Server, id: string, to: Agent) =>
  server.client.sessions.handover({ params: { id }, payload: { provider: instances[to] } })

describe("N5: a conversation goes on with another agent", () => {
  it.live(
    "around the circle, with a fact told at each: at the end all facts are there, in order, each once",
    () =>
      live(
        Effect.gen(function* () {
          const agents = ["opencode", "codex", "claude"] as const
          const world = yield* makeWorld({ agents })
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"), "full-access", instances.opencode)
          const said: Array<string> = []
          const tell = Effect.fnUntraced(function* (input: string) {
            const turn = yield* say(server, id, input)
            assert.strictEqual(turn.status, "completed", `${input}: ${JSON.stringify(turn.error)}`)
            said.push(input)
            return turn
          })
          yield* tell("fact one is 1")
          yield* tell("run echo made > made.txt; echo the output of it")
          for (const [i, to] of (["codex", "claude", "opencode"] as const).entries()) {
            const receipt = yield* handOver(server, id, to)
            assert.deepInclude(
              { ...receipt },
              { outcome: "handed-over", cwdVerified: world.at("repo"), runtimeModeRequested: "full-access" }
            )
            assert.strictEqual(receipt.carried?.messages, said.length)
            const thread = yield* server.client.threads.get({ params: { id } })
            assert.deepInclude({ ...thread }, { provider: instances[to], driver: to, model: null })
            const question = `what do you know, ${to}`
            const answered = yield* tell(question)
            const asked = toldAt(world, question)
            assert.deepEqual(asked.said, said, to)
            assert.include(asked.body, "the output of it")
            assert.include(answered.output, "fact one is 1")
            yield* tell(`write new${i}.txt content ${i}`)
            const written = yield* world.fs.readFileString(world.at(`repo/new${i}.txt`))
            assert.strictEqual(written.trim(), `content ${i}`)
            assert.include((yield* tell("run pwd")).output, world.at("repo"))
            if (to === "codex") {
              const { id: seen } = yield* server.client.turns.send({
                params: { id },
                payload: { input: "look", attachments: [picture] }
              })
              yield* settled(server, id, seen)
              said.push("look")
            }
            if (to === "claude") {
              assert.include(toldAt(world, "run pwd").body, picture.data)
            }
          }
          // Its session is one like any other: over a stop, a kill and a fork.
          yield* server.client.sessions.stop({ params: { id } })
          yield* tell("after a stop")
          yield* server.kill
          const again = yield* world.start()
          const last = yield* say(again, id, "after a kill")
          assert.strictEqual(last.status, "completed", JSON.stringify(last.error))
          said.push("after a kill")
          assert.deepEqual(toldAt(world, "after a kill").said, said)
          assert.strictEqual((yield* receipts(again, id))[0]?.outcome, "adopted")
        })
      )
  )

  it.live(
    "into a fork, and by the command; what another agent cannot have is refused, and nothing has changed",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: ["codex", "claude"] })
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"), "read-only", instances.codex)
          const first = yield* say(server, id, "fact one is 1")
          yield* say(server, id, "fact two is 2")
          const fork = yield* server.client.sessions.fork({
            params: { id },
            payload: { provider: instances.claude, turnId: first.id, cwd: world.at("tree") }
          })
          assert.deepInclude(
            { ...fork },
            { provider: instances.claude, cwd: world.at("tree"), runtimeMode: "read-only" }
          )
          yield* say(server, fork.id, "what does the fork know")
          assert.deepEqual(toldAt(world, "what does the fork know").said, [
            "fact one is 1",
            "what does the fork know"
          ])
          yield* say(server, id, "what does the origin know")
          assert.deepEqual(toldAt(world, "what does the origin know").said, [
            "fact one is 1",
            "fact two is 2",
            "what does the origin know"
          ])
          const handed = yield* rejoin(world, "handover", id, "claude", "-C", world.at("tree2"))
          assert.strictEqual(handed.code, 0, handed.err)
          assert.include(handed.out, "handed-over")
          assert.strictEqual((yield* server.client.threads.get({ params: { id } })).cwd, world.at("tree2"))
          const same = yield* rejoin(world, "handover", id, "claude")
          assert.strictEqual(same.code, 2)
          const nobody = yield* rejoin(world, "handover", id, "nobody")
          assert.strictEqual(nobody.code, 1)
          assert.strictEqual(
            (yield* server.client.threads.get({ params: { id } })).provider,
            instances.claude
          )
        })
      )
  )
})
