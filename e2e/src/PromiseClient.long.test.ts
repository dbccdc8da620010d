import { assert, describe, it } from "@effect/vitest"
import { PromiseClient } from "@rejoin/client/PromiseClient"
import { Effect, Fiber } from "effect"
import { instances } from "./Agents.ts"
import { event, live, makeWorld } from "./World.ts"

describe("a program without Effect", () => {
  it.live(
    "asks over a kill -9 of the server, which comes back elsewhere: the turn ends with a reason, the next with an answer",
    () =>
      live(
        Effect.gen(function* () {
          const world = yield* makeWorld({ agents: ["codex"] })
          const first = yield* world.start()
          const client = new PromiseClient({ home: world.home })
          const thread = yield* Effect.promise(() =>
            client.createThread({
              provider: instances.codex,
              cwd: world.at("repo"),
              runtimeMode: "full-access"
            })
          )
          const asked = async (input: string) => {
            let text = ""
            for await (const piece of client.ask(thread.id, input)) text += piece
            return text
          }
          assert.strictEqual(yield* Effect.promise(() => asked("one")), "one")
          const held = yield* Effect.forkChild(
            Effect.promise(() => asked("hold on").catch((cause: unknown) => String(cause)))
          )
          yield* event(first, thread.id, "turn.started", ({ seq }) => seq > thread.lastSeq + 8)
          yield* first.kill
          yield* world.start()
          assert.include(yield* Fiber.join(held), "The server stopped")
          assert.include(yield* Effect.promise(() => asked("two")), "two")
        })
      )
  )
})
