import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Option } from "effect"
import { opencode } from "./Agents.ts"
import { event, live, makeWorld, open, receipts, say, send, settled } from "./World.ts"

const errorTag = (exit: Exit.Exit<unknown, unknown>) => {
  const error = Exit.isFailure(exit) ? Option.getOrUndefined(Exit.findErrorOption(exit)) : undefined
  return typeof error === "object" && error !== null && "_tag" in error ? error._tag : undefined
}

describe("OpenCode: a thread keeps its conversation", () => {
  it.live(
    "C4, C22: over a stop, a graceful restart and a kill -9, the model receives the whole conversation",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const first = yield* world.start()
          const id = yield* open(first, world.at("repo"))
          assert.strictEqual((yield* say(first, id, "my name is Ada")).output, "my name is Ada")
          yield* first.client.sessions.stop({ params: { id } })
          assert.strictEqual((yield* say(first, id, "two")).output, "my name is Ada | two")
          assert.strictEqual(yield* first.stop, 0)
          const second = yield* world.start()
          assert.strictEqual((yield* say(second, id, "three")).output, "my name is Ada | two | three")
          yield* second.kill
          const third = yield* world.start()
          assert.strictEqual((yield* say(third, id, "four")).output, "my name is Ada | two | three | four")
          const outcomes = (yield* receipts(third, id)).map(
            ({ cwdVerified, outcome, runtimeModeVerified }) => ({
              outcome,
              cwdVerified,
              runtimeModeVerified
            })
          )
          const verified = { cwdVerified: world.at("repo"), runtimeModeVerified: "full-access" } as const
          assert.deepEqual(outcomes, [
            { outcome: "adopted", ...verified },
            { outcome: "adopted", ...verified },
            { outcome: "adopted", ...verified },
            { outcome: "created", ...verified }
          ])
        })
      )
  )

  it.live(
    "C12, C13, C15, C29: a move to a worktree and to another project carries history, directory and permissions",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const id = yield* open(server, world.at("repo"), "read-only")
          yield* say(server, id, "one")
          const move = (cwd: string) => server.client.sessions.move({ params: { id }, payload: { cwd } })
          const first = yield* say(server, id, "write x.txt no")
          assert.include(first.output, "there is no tool write")

          const receipt = yield* move(world.at("tree"))
          assert.strictEqual(receipt.outcome, "forked")
          assert.strictEqual(receipt.cwdVerified, world.at("tree"))
          assert.strictEqual(receipt.runtimeModeVerified, "read-only")
          assert.notStrictEqual(receipt.providerSessionIdAfter, receipt.providerSessionIdBefore)
          assert.include((yield* say(server, id, "write y.txt no")).output, "there is no tool write")
          assert.strictEqual(
            (yield* say(server, id, "two")).output,
            "one | write x.txt no | write y.txt no | two"
          )

          yield* server.client.threads.update({ params: { id }, payload: { runtimeMode: "full-access" } })
          assert.include((yield* say(server, id, "run pwd")).output, world.at("tree"))

          const other = yield* move(world.at("other"))
          assert.deepInclude(
            { ...other },
            { outcome: "forked", cwdVerified: world.at("other"), runtimeModeVerified: "full-access" }
          )
          assert.include((yield* say(server, id, "run pwd")).output, world.at("other"))
          assert.include(
            (yield* say(server, id, "three")).output,
            "one | write x.txt no | write y.txt no | two | run pwd | run pwd | three"
          )

          const back = yield* move(`${world.at("repo")}/../tree/`)
          assert.strictEqual(back.cwdVerified, world.at("tree"))
          assert.include((yield* say(server, id, "run pwd")).output, world.at("tree"))
          assert.isFalse(yield* world.fs.exists(`${world.at("tree")}/y.txt`))
        })
      )
  )

  it.live("a mode switched both ways between turns is in force: a write is blocked, asked for, or done", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const server = yield* world.start()
        const id = yield* open(server, world.at("repo"), "read-only")
        const mode = (runtimeMode: "read-only" | "approval-required" | "auto-accept-edits" | "full-access") =>
          server.client.threads.update({ params: { id }, payload: { runtimeMode } })
        const written = (name: string) => world.fs.exists(`${world.at("repo")}/${name}`)

        yield* say(server, id, "write a.txt x")
        assert.isFalse(yield* written("a.txt"))

        yield* mode("full-access")
        yield* say(server, id, "write b.txt x")
        assert.isTrue(yield* written("b.txt"))

        yield* mode("read-only")
        yield* say(server, id, "write c.txt x")
        assert.isFalse(yield* written("c.txt"))

        yield* mode("auto-accept-edits")
        yield* say(server, id, "write d.txt x")
        assert.isTrue(yield* written("d.txt"))
        const command = yield* send(server, id, "run touch e.txt")
        const asked = yield* event(server, id, "request.opened", ({ turnId }) => turnId === command.id)
        assert.include(JSON.stringify(asked.data), "touch e.txt")
        assert.isFalse(yield* written("e.txt"))
        const [request] = (yield* server.client.threads.requests({ params: { id } })).items
        yield* server.client.threads.answer({
          params: { id, requestId: request?.id ?? "" },
          payload: { decision: "accept" }
        })
        assert.strictEqual((yield* settled(server, id, command.id)).status, "completed")
        assert.isTrue(yield* written("e.txt"))

        yield* mode("approval-required")
        const edit = yield* send(server, id, "write f.txt x")
        yield* event(server, id, "request.opened", ({ turnId }) => turnId === edit.id)
        const [declined] = (yield* server.client.threads.requests({ params: { id } })).items
        assert.strictEqual(declined?.ask.kind, "approval")
        yield* server.client.threads.answer({
          params: { id, requestId: declined?.id ?? "" },
          payload: { decision: "decline" }
        })
        assert.strictEqual((yield* settled(server, id, edit.id)).status, "completed")
        assert.isFalse(yield* written("f.txt"))
        for (const receipt of yield* receipts(server, id)) {
          assert.strictEqual(receipt.runtimeModeVerified, receipt.runtimeModeRequested)
        }
      })
    )
  )

  it.live("questions are answered, reasoning and retries are told, a model's failure is on the turn", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const server = yield* world.start()
        const id = yield* open(server, world.at("repo"))
        const question = yield* send(server, id, "ask me")
        yield* event(server, id, "user-input.opened")
        const [request] = (yield* server.client.threads.requests({ params: { id } })).items
        yield* server.client.threads.answer({
          params: { id, requestId: request?.id ?? "" },
          payload: { answers: [["B"]] }
        })
        assert.include((yield* settled(server, id, question.id)).output, "B")

        yield* say(server, id, "think deeply")
        const { items } = yield* server.client.threads.items({ params: { id }, query: {} })
        assert.deepEqual(
          items.slice(-3).map(({ kind, text }) => ({ kind, text })),
          [
            { kind: "user-message", text: "think deeply" },
            { kind: "reasoning", text: "deeply" },
            { kind: "assistant-message", text: "thought: deeply" }
          ]
        )

        const failed = yield* say(server, id, "fail 400")
        assert.strictEqual(failed.status, "failed")
        assert.deepInclude({ ...failed.error }, { _tag: "ProviderFailed", message: "a scripted failure" })
        assert.strictEqual((yield* say(server, id, "go on")).status, "completed")
      })
    )
  )

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
          const extraEnv = { COLOUR: "green", LD_PRELOAD: "/evil.so" }
          const thread = yield* server.client.threads.create({
            payload: { provider: opencode, cwd: world.at("repo"), runtimeMode: "full-access", extraEnv }
          })
          const plain = yield* open(server, world.at("repo"))
          const shown = yield* say(server, thread.id, "run echo $COLOUR-$REJOIN_SECRET-$LD_PRELOAD")
          assert.strictEqual(shown.output, "result: green--")
          assert.strictEqual((yield* say(server, plain, "run echo -$COLOUR-")).output, "result: --")
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

  it.live("move, reset and mode are refused during a turn; interrupt ends it", () =>
    live(
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const server = yield* world.start()
        const id = yield* open(server, world.at("repo"))
        const held = yield* send(server, id, "hold on")
        yield* event(server, id, "turn.started")
        const params = { id }
        const refusals = [
          yield* Effect.exit(server.client.sessions.move({ params, payload: { cwd: world.at("tree") } })),
          yield* Effect.exit(server.client.sessions.reset({ params })),
          yield* Effect.exit(server.client.threads.update({ params, payload: { runtimeMode: "read-only" } }))
        ]
        assert.deepEqual(
          refusals.map((exit) => errorTag(exit)),
          ["ThreadBusy", "ThreadBusy", "ThreadBusy"]
        )
        yield* server.client.sessions.interrupt({ params })
        assert.strictEqual((yield* settled(server, id, held.id)).status, "interrupted")
        const two = yield* say(server, id, "two")
        assert.strictEqual(two.output, "hold on | two", JSON.stringify(two))
      })
    )
  )
})
