import { assert } from "@effect/vitest"
import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { ProviderRegistry } from "@rejoin/core/providers/ProviderRegistry"
import { ProviderService } from "@rejoin/core/ProviderService"
import { layerInMemoryAdapter } from "@rejoin/core/testing/InMemoryAdapter"
import { InMemoryUpstream } from "@rejoin/core/testing/InMemoryUpstream"
import { Effect } from "effect"
import { failureOf, type Lives, say } from "./Lives.ts"
import type { Suite } from "./Suite.ts"

const another = ProviderInstanceId.make("another")

/** A life in which there is another agent beside the harness's. */
const beside = <A, E, R>(lives: Lives, upstream: InMemoryUpstream, body: Effect.Effect<A, E, R>) =>
  lives.life(({ capabilities }) =>
    Effect.gen(function* () {
      const registry = yield* ProviderRegistry
      yield* registry.add(layerInMemoryAdapter(upstream, another, another))
      return { compose: (yield* capabilities).compose, result: yield* body }
    })
  )

const handOver = (id: Parameters<typeof say>[0], provider: ProviderInstanceId) =>
  Effect.flatMap(ProviderService, (service) => service.handOver(id, { provider }))

/** Whether what was said with another agent can be gone on from. */
export const handover: Suite = (test) => {
  test("N5: what was said with another agent is its own history, over lives; and it goes back from there", (lives) =>
    Effect.gen(function* () {
      const upstream = new InMemoryUpstream()
      const { instance, places } = lives.harness
      const told = Effect.gen(function* () {
        const id = yield* lives.open({ provider: another })
        for (const input of ["fact one", "fact two"]) yield* say(id, input)
        return id
      })
      const { compose, result: id } = yield* beside(lives, upstream, told)
      const before = yield* lives.binding(id)
      const given = yield* beside(lives, upstream, Effect.exit(handOver(id, instance)))
      if (!compose) {
        // Refused, and with the agent that it had.
        assert.strictEqual(failureOf(given.result)?._tag, "CapabilityMissing")
        assert.strictEqual((yield* lives.binding(id)).instanceId, another)
        return
      }
      const receipt = yield* lives.receipt(id)
      assert.strictEqual(receipt.outcome, "handed-over", JSON.stringify(failureOf(given.result)))
      assert.strictEqual(receipt.carried?.messages, 2)
      assert.strictEqual(receipt.cwdVerified ?? receipt.cwdRequested, places.repo)
      const [left] = yield* lives.store.listLineage(id)
      assert.strictEqual(left?.providerSessionId, before.providerSessionId)
      // In another life: it is there, not only in a process.
      const { result: asked } = yield* beside(lives, upstream, say(id, "what do you know"))
      assert.strictEqual(asked.output, "fact one | fact two | what do you know")
      const back = yield* beside(lives, upstream, Effect.andThen(handOver(id, another), say(id, "and you")))
      assert.strictEqual(back.result.status, "completed")
      const { providerSessionId } = yield* lives.binding(id)
      assert.deepEqual(upstream.history(providerSessionId ?? ""), [
        "fact one",
        "fact two",
        "what do you know",
        "and you"
      ])
    }))
}
