import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { agentLives } from "./crash/AgentRuns.ts"
import { carryingLives, livesOf } from "./crash/AgentScenario.ts"

// `pnpm crash --agent <agent> --runs N --seed S` goes on from here, and with `--carry` at any number of points.
const lives = livesOf(Array.from({ length: 8 }, (_, i) => 1000 + i))
const agents = ["opencode", "codex", "claude"] as const

describe("a server on a real agent, killed with -9 at points on the way, one after the other", () => {
  for (const agent of agents) {
    it.live(
      `laws 1 to 9, N8, T10, C37, C38: ${agent}: nothing is lost, run twice, left behind or in the wrong place`,
      () =>
        Effect.gen(function* () {
          const { deaths, violations } = yield* agentLives(agent, lives)
          assert.deepEqual(violations, [])
          assert.isAbove(deaths.length, 4, "it was killed at points on the way")
        }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
      600_000
    )
    it.live(
      `N2, N5, W4, W11, W12, W14, laws 1 to 9: ${agent}: while it restores, hands over, exports and imports`,
      () =>
        Effect.gen(function* () {
          const { deaths, violations } = yield* agentLives(agent, carryingLives(4))
          assert.deepEqual(violations, [])
          assert.isAbove(deaths.length, 6, "it was killed at points on the way")
        }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
      600_000
    )
  }
})
