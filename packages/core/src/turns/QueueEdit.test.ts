import { assert, describe, it } from "@effect/vitest"
import { TurnId } from "@rejoin/contracts/Ids"
import { Effect } from "effect"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { ProviderService } from "../ProviderService.ts"
import { event, failureOf, makeWorld, memory, openThread, say, settled } from "../testing/World.ts"

describe("U5: a turn that waits", () => {
  it.effect("is edited, and put before another; one that has begun is not", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const service = yield* ProviderService
          const running = yield* service.send(id, { input: "ask" })
          yield* event(id, "user-input.opened")
          const [a, b, c] = [
            yield* service.send(id, { input: "a" }),
            yield* service.send(id, { input: "b" }),
            yield* service.send(id, { input: "c" })
          ]
          yield* service.editTurn(id, b.id, { input: "b, edited" })
          yield* service.editTurn(id, c.id, { before: a.id })
          const told = yield* event(id, "turn.updated", ({ turnId }) => turnId === c.id)
          assert.deepInclude(told.data as object, { input: "c", before: a.id })

          const tagOf = <A, E>(effect: Effect.Effect<A, E>) =>
            Effect.map(
              Effect.exit(effect),
              (exit) => (failureOf(exit) as { _tag?: string } | undefined)?._tag
            )
          assert.strictEqual(yield* tagOf(service.editTurn(id, running.id, { input: "x" })), "TurnBegun")
          const nowhere = TurnId.make("none")
          assert.strictEqual(yield* tagOf(service.editTurn(id, nowhere, { input: "x" })), "TurnNotFound")
          for (const before of [nowhere, running.id])
            assert.strictEqual(yield* tagOf(service.editTurn(id, a.id, { before })), "InvalidInput")
          const other = yield* openThread()
          assert.strictEqual(yield* tagOf(service.editTurn(other, a.id, { input: "x" })), "TurnNotFound")

          yield* service.interrupt(id)
          assert.strictEqual((yield* settled(id, b.id)).output, "ask | c | a | b, edited")
          assert.deepEqual(
            (yield* world.store.listTurns(id, { limit: 10 })).map(({ input }) => input),
            ["ask", "c", "a", "b, edited"]
          )
        })
      )
    })
  )

  it.effect("law 6: in the moment in which it would be sent: what is sent is what stands there then", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const service = yield* ProviderService
          const adapter = yield* (yield* ProviderRegistry).get(memory)
          const { newMessageId } = adapter
          yield* say(id, "one")
          let edited = false
          // Its last step before that is a new message id.
          Object.assign(adapter, {
            newMessageId: Effect.gen(function* () {
              const open = (yield* world.store.openTurns(id))[0]
              if (open !== undefined && !edited) {
                edited = true
                yield* service.editTurn(id, open.id, { input: "two, edited" })
              }
              return yield* newMessageId
            })
          })
          assert.strictEqual((yield* say(id, "two")).output, "one | two, edited")
          assert.isTrue(edited)
        })
      )
    })
  )
})
