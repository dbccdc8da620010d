import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Option } from "effect"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { ProviderService } from "../ProviderService.ts"
import { event, failureOf, makeWorld, memory, openThread, say, sendHeld, settled } from "../testing/World.ts"

describe("a turn that is ended by its own id", () => {
  it.effect(
    "is withdrawn where it waits, and the one that runs goes on with what it asks; then it is itself",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const id = yield* openThread()
            const service = yield* ProviderService
            const asking = yield* service.send(id, { input: "ask" })
            yield* event(id, "user-input.opened")
            const queued = yield* service.send(id, { input: "queued" })
            yield* service.interruptTurn(id, queued.id)
            assert.strictEqual((yield* settled(id, queued.id)).status, "interrupted")
            const [request] = yield* world.store.listRequests(id)
            assert.strictEqual(request?.turnId, asking.id)
            yield* service.interruptTurn(id, asking.id)
            assert.strictEqual((yield* settled(id, asking.id)).status, "interrupted")
            // One that is over stays as it is, and ends no other.
            const held = yield* sendHeld(id)
            yield* service.interruptTurn(id, asking.id)
            assert.strictEqual(Option.getOrThrow(yield* world.store.getTurn(held)).status, "running")
            const nobody = yield* Effect.exit(service.interruptTurn(id, "trn_nobody" as never))
            assert.strictEqual(failureOf(nobody)?._tag, "TurnNotFound")
          })
        )
      })
  )

  it.effect("is given up with the start that was made for it, and only with that", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const service = yield* ProviderService
          const starting = yield* Deferred.make<void>()
          world.upstream.faults.holdsStart = starting
          const first = yield* service.send(id, { input: "one" })
          const second = yield* service.send(id, { input: "two" })
          yield* Deferred.await(world.upstream.started)
          const withdrawing = yield* Effect.forkChild(service.interruptTurn(id, second.id), {
            startImmediately: true
          })
          delete world.upstream.faults.holdsStart
          yield* Deferred.succeed(starting, undefined)
          yield* Fiber.join(withdrawing)
          assert.strictEqual((yield* settled(id, first.id)).status, "completed")
          assert.strictEqual((yield* settled(id, second.id)).status, "interrupted")
        })
      )
    })
  )
})

describe("a turn that is withdrawn in the moment in which it would be sent", () => {
  it.effect(
    "law 6: is not sent: whether it is still accepted is seen where it is written down that it is sent",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const id = yield* openThread()
            const service = yield* ProviderService
            const registry = yield* ProviderRegistry
            const adapter = yield* registry.get(memory)
            const { newMessageId } = adapter
            yield* say(id, "one")
            // Its last step before that is a new message id.
            let withdrawn: string | undefined
            Object.assign(adapter, {
              newMessageId: Effect.gen(function* () {
                const open = (yield* world.store.openTurns(id))[0]
                if (open !== undefined) {
                  withdrawn = open.id
                  yield* service.interruptTurn(id, open.id)
                }
                return yield* newMessageId
              })
            })
            const second = yield* service.send(id, { input: "two" })
            assert.strictEqual((yield* settled(id, second.id)).status, "interrupted")
            assert.strictEqual(withdrawn, second.id)
            Object.assign(adapter, { newMessageId })
            assert.strictEqual((yield* say(id, "three")).output, "one | three")
          })
        )
      })
  )
})

describe("a message that comes while the thread is being stopped", () => {
  it.effect("is not ended by the stop, which was asked for before it; it gets its own session", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const service = yield* ProviderService
          yield* say(id, "one")
          const closing = yield* Deferred.make<void>()
          world.upstream.faults.holdsClose = closing
          // The first holds the lease until its session is closed; the second waits for it.
          const stops = [
            yield* Effect.forkChild(Effect.exit(service.stop(id)), { startImmediately: true }),
            yield* Effect.forkChild(Effect.exit(service.stop(id)), { startImmediately: true })
          ]
          const sent = yield* service.send(id, { input: "two" })
          delete world.upstream.faults.holdsClose
          yield* Deferred.succeed(closing, undefined)
          yield* Effect.forEach(stops, Fiber.join)
          const { output, status } = yield* settled(id, sent.id)
          assert.deepEqual({ output, status }, { output: "one | two", status: "completed" })
        })
      )
    })
  )
})
