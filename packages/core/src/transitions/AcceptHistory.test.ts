import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { ProviderService } from "../ProviderService.ts"
import { failureOf, makeWorld, openThread, say, sendHeld } from "../testing/World.ts"

/** As a user does in the agent's own interface. */
const undo = ({ upstream }: Effect.Success<ReturnType<typeof makeWorld>>, turns: number) => {
  const [session] = [...upstream.sessions.values()]
  session?.messages.splice(session.messages.length - turns)
}

describe("law 1: the end of a conversation was undone in the agent's own interface", () => {
  it.effect("is refused, and accepted by its user: goes on from what is there, and marks what is not", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const id = yield* openThread()
          for (const text of ["one", "two", "three"]) yield* say(id, text)
          undo(world, 2)
          assert.strictEqual((yield* say(id, "four")).error?._tag, "HistoryMismatch")
          const receipt = yield* service.acceptHistory(id)
          assert.deepInclude({ ...receipt }, { outcome: "adopted", undone: 2 })
          assert.strictEqual((yield* say(id, "five")).output, "one | five")
          const turns = yield* world.store.listTurns(id, { limit: 10 })
          assert.deepEqual(
            turns.filter(({ undone }) => undone).map(({ input }) => input),
            ["two", "three"]
          )
          const items = yield* world.store.listItems(id, { limit: 100 })
          const undone = new Set(items.filter(({ undone }) => undone).map(({ turnId }) => turnId))
          assert.deepEqual([...undone], [turns[1]?.id, turns[2]?.id])

          // And once more, over what was undone before.
          yield* say(id, "six")
          undo(world, 1)
          assert.strictEqual((yield* service.acceptHistory(id)).undone, 1)
          assert.strictEqual((yield* say(id, "seven")).output, "one | five | seven")
        })
      )
    })
  )

  it.effect("everything of ours: the thread goes on in the same session all the same", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const id = yield* world.life(Effect.tap(openThread(), (id) => say(id, "one")))
      undo(world, 1)
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const receipt = yield* service.acceptHistory(id)
          assert.strictEqual(receipt.providerSessionIdAfter, receipt.providerSessionIdBefore)
          assert.strictEqual((yield* say(id, "two")).output, "two")
          assert.strictEqual((yield* world.store.listReceipts(id, { limit: 1 }))[0]?.outcome, "adopted")
        })
      )
    })
  )

  it.effect(
    "where nothing is missing nothing changes; never under a turn, nor from what cannot be told",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const service = yield* ProviderService
            const id = yield* openThread()
            yield* say(id, "one")
            assert.isUndefined((yield* service.acceptHistory(id)).undone)
            assert.strictEqual((yield* say(id, "two")).output, "one | two")
            world.upstream.faults.probe = { _tag: "Inconclusive", evidence: "no answer" }
            const refused = yield* Effect.exit(service.acceptHistory(id))
            assert.strictEqual(failureOf(refused)?._tag, "ProbeInconclusive")
            delete world.upstream.faults.probe
            yield* sendHeld(id)
            assert.isTrue(Exit.isFailure(yield* Effect.exit(service.acceptHistory(id))))
            yield* service.interrupt(id)
          })
        )
      })
  )
})
