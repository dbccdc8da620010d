import { assert, describe, it } from "@effect/vitest"
import { layerMemory } from "@rejoin/core/store/MemoryThreadStore"
import { Effect, Layer, Logger } from "effect"
import { TestClock } from "effect/testing"
import fc from "fast-check"
import { runInMemory, storeOf } from "./InMemoryRun.ts"
import { type Mutation, mutations } from "./Mutation.ts"
import { carrying, type Scenario, scenario, scenarioOf } from "./Scenario.ts"

/** A clock of its own, and nobody who reads what a process says that is killed. */
const alone = Layer.merge(TestClock.layer(), Logger.layer([]))

const run = (of: Scenario, mutation?: Mutation) =>
  storeOf(layerMemory).pipe(
    Effect.flatMap((store) => runInMemory(of, { store, ...(mutation && { mutation }) })),
    Effect.scoped,
    Effect.provide(alone)
  )

describe("random lives of a server, killed anywhere", () => {
  // `npm run test:long` runs many more of them.
  it("laws 1 to 9, N8, T1, T2, T3, T10, C16, C19, C24 to C37: every one of them holds", () =>
    fc.assert(
      fc.asyncProperty(scenario, async (of) => {
        const { violations } = await Effect.runPromise(run(of))
        assert.deepEqual(violations, [])
      }),
      { numRuns: 50, seed: 20_261_125 }
    ))

  // `npm run test:long` kills them at every point.
  for (const [name, killedAt] of Object.entries(carrying)) {
    it.effect(`N2, N5, W4, W11, W14, laws 1 and 7: killed within ${name}`, () =>
      Effect.gen(function* () {
        const whole = yield* run(killedAt([]))
        const outcomes = whole.observation.threads.flatMap(({ receipts }) =>
          receipts.map(({ outcome }) => outcome)
        )
        assert.deepEqual(whole.violations, [])
        assert.include(outcomes, name.startsWith("a handover") ? "handed-over" : "rehydrated")
        for (let at = 5; ; at += 11) {
          const { deaths, violations } = yield* run(killedAt([at]))
          if (deaths.length === 0) break
          assert.deepEqual(violations, [], `killed ${deaths.join()} (${at})`)
        }
      })
    )
  }

  // A harness that finds nothing proves nothing.
  for (const mutation of mutations) {
    it.effect(`what breaks a law on purpose is found: ${mutation.does}`, () =>
      Effect.gen(function* () {
        for (const of of Object.values(carrying)) {
          const { violations } = yield* run(of([]), mutation)
          if (violations.some((violation) => mutation.seen.test(violation))) return
        }
        for (let seed = 1; seed <= 400; seed++) {
          const { violations } = yield* run(scenarioOf(seed), mutation)
          if (violations.some((violation) => mutation.seen.test(violation))) return
        }
        assert.fail("no scenario shows it")
      })
    )
  }
})
