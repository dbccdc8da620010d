import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { editor, textOf } from "./AcpClient.ts"
import { live, makeWorld, receipts } from "./World.ts"

describe("rejoin acp, for editors, on the real OpenCode", () => {
  it.live(
    "A8: a session is a thread: begun, said in, listed, and loaded by another editor with all of it",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld()
          const server = yield* world.start()
          const first = yield* editor(world, { args: ["--mode", "full-access"] })
          assert.strictEqual(first.initialized.protocolVersion, 1)
          assert.isTrue(first.initialized.agentCapabilities?.loadSession)
          const { configOptions, modes, sessionId } = yield* Effect.promise(() =>
            first.agent.request("session/new", { cwd: world.at("repo"), mcpServers: [] })
          )
          assert.strictEqual(modes?.currentModeId, "full-access")
          const chosen = (options: typeof configOptions) =>
            options?.map(({ currentValue, id }) => [id, currentValue])
          const wanted = [
            ["mode", "full-access"],
            ["model", "test/scripted"],
            ["provider", "opencode"]
          ]
          // An agent that begins may take longer to tell its models than an answer may wait: then they come behind it.
          if (chosen(configOptions)?.some(([, value]) => value === "default") === true) {
            yield* first.told(
              (update) =>
                update.sessionUpdate === "config_option_update" &&
                JSON.stringify(chosen(update.configOptions)) === JSON.stringify(wanted)
            )
          } else assert.deepEqual(chosen(configOptions), wanted)
          // After the answer: a client that does not know the session yet would lose it.
          yield* first.told(({ sessionUpdate }) => sessionUpdate === "available_commands_update")
          const said = yield* first.say(sessionId, "one")
          assert.strictEqual(said.stopReason, "end_turn")
          assert.strictEqual(textOf(yield* first.updates, "agent_message_chunk"), "one")
          // What its own user says the client shows by itself.
          assert.strictEqual(textOf(yield* first.updates, "user_message_chunk"), "")
          yield* first.forget
          yield* first.say(sessionId, "run echo hello")
          const [call] = (yield* first.updates).filter(({ sessionUpdate }) => sessionUpdate === "tool_call")
          assert.containSubset(call, { kind: "execute", title: "echo hello" })
          yield* first.say(sessionId, "write made.txt hello")
          const edits = (yield* first.updates).filter(
            (update) => "kind" in update && update.kind === "edit" && update.status === "completed"
          )
          assert.containSubset(edits.at(-1), { content: [{ type: "diff", newText: "hello\n" }] })

          // Its end is the end of nothing else.
          assert.strictEqual(yield* first.close, 0)
          const second = yield* editor(world)
          const { sessions } = yield* Effect.promise(() =>
            second.agent.request("session/list", { cwd: world.at("repo") })
          )
          assert.containSubset(sessions, [{ sessionId, cwd: world.at("repo"), title: "one" }])
          yield* second.load(sessionId, world.at("repo"))
          const replayed = yield* second.updates
          assert.strictEqual(textOf(replayed, "user_message_chunk"), "onerun echo hellowrite made.txt hello")
          // One call a thing that was done, complete, and never an update alone.
          assert.lengthOf(
            replayed.filter(({ sessionUpdate }) => sessionUpdate === "tool_call"),
            2
          )
          assert.isEmpty(replayed.filter(({ sessionUpdate }) => sessionUpdate === "tool_call_update"))
          assert.strictEqual((yield* second.say(sessionId, "four")).stopReason, "end_turn")
          assert.match(textOf(yield* second.updates, "agent_message_chunk"), /one \| .* \| four$/)
          assert.deepEqual(
            (yield* receipts(server, sessionId)).map(({ outcome }) => outcome),
            ["created"]
          )
        })
      )
  )
})
