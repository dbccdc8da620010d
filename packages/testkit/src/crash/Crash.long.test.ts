import { assert, describe, it } from "@effect/vitest"
import { layerMemory } from "@rejoin/core/store/MemoryThreadStore"
import { Effect, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { runInMemory, storeOf } from "./InMemoryRun.ts"
import { scenario } from "./Scenario.ts"

/** A clock of its own, and nobody who reads what a process says that is killed. */
const alone = Layer.merge(TestClock.layer(), Logger.layer([]))

describe("many random lives of a server, killed anywhere", () => {
  it("laws 1 to 9, N8, T1, T2, T3, T10, C16, C19, C24 to C37: every one of them holds", () =>
    fc.assert(
      fc.asyncProperty(scenario, async (of) => {
        const { violations } = await storeOf(layerMemory).pipe(
          Effect.flatMap((store) => runInMemory(of, { store })),
          Effect.scoped,
          Effect.provide(alone),
          Effect.runPromise
        )
        assert.deepEqual(violations, [])
      }),
      { numRuns: 400, seed: 20_261_127 }
    ))
})
