import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { ProviderAdapter, type ProviderAdapterShape } from "./ProviderAdapter.ts"
import { ProviderRegistry } from "./ProviderRegistry.ts"
import { ProviderService } from "../ProviderService.ts"
import { makeInMemoryAdapter } from "../testing/InMemoryAdapter.ts"
import { makeWorld, openThread, say, sendHeld, settled } from "../testing/World.ts"

type Start = ProviderAdapterShape["create"]

/** A start whose session never answers a message. */
const deaf =
  (start: Start): Start =>
  (request) =>
    Effect.map(start(request), ({ session, ...started }) => ({
      ...started,
      session: { ...session, send: () => Effect.never }
    }))

const hung: ReadonlyArray<{
  readonly what: string
  readonly error: string
  readonly status: string
  readonly adapter: (adapter: ProviderAdapterShape) => Partial<ProviderAdapterShape>
}> = [
  {
    what: "its capabilities",
    error: "ProviderTimeout",
    status: "failed",
    adapter: () => ({ capabilities: Effect.never })
  },
  {
    what: "a start",
    error: "ProviderTimeout",
    status: "failed",
    adapter: () => ({ create: () => Effect.never })
  },
  {
    what: "a message",
    error: "ProviderTimeout",
    status: "interrupted",
    adapter: ({ create }) => ({ create: deaf(create), delivered: () => Effect.never })
  }
]

describe("a provider that never answers", () => {
  for (const { adapter: change, error, status, what } of hung) {
    it.effect(`${what}: the turn says so in bounded time, and the thread goes on when it answers again`, () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const registry = yield* ProviderRegistry
            const service = yield* ProviderService
            const adapter = makeInMemoryAdapter(world.upstream)
            yield* registry.add(Layer.succeed(ProviderAdapter, { ...adapter, ...change(adapter) }))
            const id = yield* openThread()
            const turn = yield* service.send(id, { input: "one" })
            const waiting = yield* Effect.forkChild(settled(id, turn.id))
            yield* TestClock.adjust("5 minutes")
            const told = yield* Fiber.join(waiting)
            assert.strictEqual(told.status, status)
            assert.strictEqual(told.error?._tag, error)
            yield* registry.add(Layer.succeed(ProviderAdapter, adapter))
            assert.strictEqual((yield* say(id, "two")).output, "two")
          })
        )
      })
    )
  }

  it.effect("a probe: inconclusive, and nothing is created", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const registry = yield* ProviderRegistry
          const service = yield* ProviderService
          const adapter = makeInMemoryAdapter(world.upstream)
          const id = yield* openThread()
          yield* say(id, "one")
          yield* service.stop(id)
          yield* registry.add(Layer.succeed(ProviderAdapter, { ...adapter, probe: () => Effect.never }))
          const turn = yield* service.send(id, { input: "lost" })
          const waiting = yield* Effect.forkChild(settled(id, turn.id))
          yield* TestClock.adjust("1 minute")
          assert.strictEqual((yield* Fiber.join(waiting)).error?._tag, "ProbeInconclusive")
          assert.strictEqual(world.upstream.sessions.size, 1)
          yield* registry.add(Layer.succeed(ProviderAdapter, adapter))
          assert.strictEqual((yield* say(id, "two")).output, "one | two")
        })
      )
    })
  )

  it.effect("an interrupt: the session is given up in bounded time, and the turn with it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const registry = yield* ProviderRegistry
          const service = yield* ProviderService
          const adapter = makeInMemoryAdapter(world.upstream)
          const create: Start = (request) =>
            Effect.map(adapter.create(request), ({ session, ...started }) => ({
              ...started,
              session: { ...session, interrupt: Effect.never }
            }))
          yield* registry.add(Layer.succeed(ProviderAdapter, { ...adapter, create }))
          const id = yield* openThread()
          const turnId = yield* sendHeld(id)
          const interrupting = yield* Effect.forkChild(service.interrupt(id))
          yield* TestClock.adjust("11 seconds")
          yield* Fiber.join(interrupting)
          assert.strictEqual((yield* settled(id, turnId)).status, "interrupted")
        })
      )
    })
  )
})
