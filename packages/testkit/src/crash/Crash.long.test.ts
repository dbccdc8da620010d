import { assert, describe, it } from "@effect/vitest"
import { layerMemory } from "@rejoin/core/store/MemoryThreadStore"
import { Effect, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { runInMemory, storeOf } from "./InMemoryRun.ts"
import { carrying, type Scenario, scenario } from "./Scenario.ts"

/** A clock of its own, and nobody who reads what a process says that is killed. */
const alone = Layer.merge(TestClock.layer(), Logger.layer([]))

const run = (of: Scenario) =>
  storeOf(layerMemory).pipe(
    Effect.flatMap((store) => runInMemory(of, { store })),
    Effect.scoped,
    Effect.provide(alone)
  )

describe("many random lives of a server, killed anywhere", () => {
  it("laws 1 to 9, N8, T1, T2, T3, T10, C16, C19, C24 to C37: every one of them holds", () =>
    fc.assert(
      fc.asyncProperty(scenario, async (of) => {
        const { violations } = await Effect.runPromise(run(of))
        assert.deepEqual(violations, [])
      }),
      { numRuns: 400, seed: 20_261_127 }
    ))

  // At each point in turn: where one is not reached any more, none is left.
  for (const [name, killedAt] of Object.entries(carrying)) {
    it.effect(`N2, N5, W4, W11, W14, laws 1 and 7: killed at every point of ${name}`, () =>
      Effect.gen(function* () {
        let at = 1
        for (; ; at++) {
          const { deaths, violations } = yield* run(killedAt([at]))
          if (deaths.length === 0) break
          assert.deepEqual(violations, [], `killed ${deaths.join()} (${at})`)
        }
        assert.isAbove(at, 30)
      })
    )
  }
})
