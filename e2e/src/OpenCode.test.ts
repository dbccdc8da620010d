import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { opencode } from "./Agents.ts"
import { live, makeWorld, open, receipts, say, settled } from "./World.ts"

describe("OpenCode: where a thread works, and with what", () => {
  it.live("CwdUnavailable: a deleted worktree is refused before the turn, and nothing makes it anew", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const server = yield* world.start()
        const id = yield* open(server, world.at("tree"))
        yield* say(server, id, "one")
        yield* world.git(world.at("repo"), "worktree", "remove", "--force", world.at("tree"))
        const refused = yield* say(server, id, "write x.txt x")
        assert.strictEqual(refused.error?._tag, "CwdUnavailable")
        assert.isFalse(yield* world.fs.exists(world.at("tree")))
        assert.strictEqual((yield* receipts(server, id))[0]?.outcome, "refused")
        const moved = yield* server.client.sessions.move({
          params: { id },
          payload: { cwd: world.at("tree2") }
        })
        assert.deepInclude({ ...moved }, { outcome: "forked", cwdVerified: world.at("tree2") })
        assert.strictEqual((yield* say(server, id, "two")).output, "one | two")

        // Also for a server that never saw the directory while it was there.
        yield* world.git(world.at("repo"), "worktree", "remove", "--force", world.at("tree2"))
        yield* server.stop
        const again = yield* world.start()
        yield* again.client.sessions.move({ params: { id }, payload: { cwd: world.at("repo") } })
        assert.strictEqual((yield* say(again, id, "three")).output, "one | two | three")
      })
    )
  )

  it.live(
    "S6: what a thread sets in the environment reaches its tools, what is ours does not; attachments reach the model",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start({ REJOIN_SECRET: "ours" })
          const extraEnv = { MY_COLOUR: "green", LD_PRELOAD: "/evil.so" }
          const thread = yield* server.client.threads.create({
            payload: { provider: opencode, cwd: world.at("repo"), runtimeMode: "full-access", extraEnv }
          })
          const plain = yield* open(server, world.at("repo"))
          const shown = yield* say(server, thread.id, "run echo $MY_COLOUR-$REJOIN_SECRET-$LD_PRELOAD")
          assert.strictEqual(shown.output, "result: green--")
          assert.strictEqual((yield* say(server, plain, "run echo -$MY_COLOUR-")).output, "result: --")
          const data = Buffer.from("the attached text").toString("base64")
          const sent = yield* server.client.turns.send({
            params: { id: plain },
            payload: { input: "look", attachments: [{ name: "note.txt", mediaType: "text/plain", data }] }
          })
          assert.strictEqual((yield* settled(server, plain, sent.id)).status, "completed")
          assert.include(JSON.stringify(world.model.requests().at(-1)?.body), "the attached text")
        })
      )
  )
})
