import { assert, describe, it } from "@effect/vitest"
import { ItemId } from "@rejoin/contracts/Ids"
import { Effect } from "effect"
import { AdapterEvent } from "../providers/AdapterEvent.ts"
import { ProviderService } from "../ProviderService.ts"
import { makeWorld, memory, openThread, sendHeld } from "../testing/World.ts"
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

  it.effect(
    "the system prompt, which stays with its thread; a provider that takes none does without, or refuses",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ systemPrompt: "Be brief." })
        yield* world.life(
          Effect.gen(function* () {
            const threads = yield* Threads
            const promptOf = (systemPrompt?: string) =>
              Effect.map(
                threads.create({ provider: memory, cwd: "/work", ...(systemPrompt && { systemPrompt }) }),
                ({ thread }) => thread.systemPrompt
              )
            assert.strictEqual(yield* promptOf(), "Be brief.")
            assert.strictEqual(yield* promptOf("Be long."), "Be long.")
            world.upstream.capabilities = { ...world.upstream.capabilities, systemPrompt: false }
            assert.isUndefined(yield* promptOf())
            assert.strictEqual((yield* Effect.flip(promptOf("Be long.")))._tag, "CapabilityMissing")
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

describe("S12: what an agent is at", () => {
  it.effect("its tool is on the thread while it runs, and only then; when it was last active stays", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const threads = yield* Threads
          const service = yield* ProviderService
          const id = yield* openThread()
          yield* sendHeld(id)
          const tool = Effect.map(threads.get(id), ({ session }) => session.runningTool)
          assert.isUndefined(yield* tool)
          const command = { id: ItemId.make("item_1"), kind: "command", command: "make  test\n" } as const
          world.upstream.tell(AdapterEvent.ItemStarted({ item: { ...command, status: "started" } }))
          const became = (told: string | undefined) =>
            Effect.repeat(Effect.andThen(Effect.yieldNow, tool), { until: (tool) => tool === told })
          yield* became("make test")
          world.upstream.tell(AdapterEvent.ItemCompleted({ item: { ...command, status: "completed" } }))
          yield* became(undefined)
          yield* service.interrupt(id)
        })
      )
    })
  )
})
