import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeWorld, memory, openThread } from "./testing/World.ts"
import { Threads } from "./Threads.ts"

const modeOf = (id: Parameters<Threads["Service"]["get"]>[0]) =>
  Effect.map(
    Effect.flatMap(Threads, (threads) => threads.get(id)),
    ({ runtimeMode }) => runtimeMode
  )

describe("S14: what a request leaves out comes from the settings", () => {
  it.effect("the mode of a new thread; what the request says wins", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ runtimeMode: "read-only" })
      yield* world.life(
        Effect.gen(function* () {
          const threads = yield* Threads
          const { thread } = yield* threads.create({ provider: memory, cwd: "/work" })
          assert.strictEqual(yield* modeOf(thread.id), "read-only")
          assert.strictEqual(yield* modeOf(yield* openThread({ runtimeMode: "full-access" })), "full-access")
        })
      )
    })
  )

  it.effect("where they say nothing either, it asks", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          assert.strictEqual(yield* modeOf(yield* openThread()), "approval-required")
        })
      )
    })
  )
})
