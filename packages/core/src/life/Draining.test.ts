import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { ProviderService } from "../ProviderService.ts"
import { makeWorld, openThread, sendHeld, settled } from "../testing/World.ts"
import { Draining } from "./Draining.ts"

describe("a server that comes to rest", () => {
  it.effect("waits for turns that are under way, begins none, and keeps what waits", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [id, waiting] = yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const draining = yield* Draining
          const id = yield* openThread()
          const held = yield* sendHeld(id)
          assert.isFalse(draining.isDraining())
          const drained = yield* Effect.forkChild(draining.drain("1 minute"))
          yield* TestClock.adjust("5 seconds")
          assert.isTrue(draining.isDraining())
          assert.isUndefined(drained.pollUnsafe())
          const waiting = yield* service.send(id, { input: "later" })
          yield* service.interruptTurn(id, held)
          assert.strictEqual((yield* settled(id, held)).status, "interrupted")
          yield* TestClock.adjust("1 second")
          assert.strictEqual(yield* Fiber.join(drained), 0)
          return [id, waiting.id] as const
        })
      )
      assert.strictEqual(Option.getOrThrow(yield* world.store.getTurn(waiting)).status, "accepted")
      yield* world.life(
        Effect.gen(function* () {
          assert.include((yield* settled(id, waiting)).output, "later")
        })
      )
    })
  )

  it.effect("waits for no longer than it may, and tells how many are left", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const { drain, handOver } = yield* Draining
          yield* sendHeld(yield* openThread())
          const drained = yield* Effect.forkChild(drain("10 seconds"))
          yield* TestClock.adjust("11 seconds")
          assert.strictEqual(yield* Fiber.join(drained), 1)
          // One that is alone has nobody to give anything to.
          assert.strictEqual(yield* handOver, 0)
        })
      )
    })
  )
})
