import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { agentLives } from "./crash/AgentRuns.ts"

// `pnpm crash --agent <agent> --runs N --seed S` goes on from here.
const seeds = Array.from({ length: 11 }, (_, i) => 1000 + i)

describe("a server on a real agent, killed with -9 at ten points, one after the other", () => {
  for (const agent of ["opencode", "codex", "claude"] as const) {
    it.live(
      `laws 1 to 9, N8, T10, C37, C38: ${agent}: nothing is lost, run twice, left behind or in the wrong place`,
      () =>
        Effect.gen(function* () {
          const { deaths, violations } = yield* agentLives(agent, seeds)
          assert.deepEqual(violations, [])
          assert.isAbove(deaths.length, 4, "it was killed at points on the way")
        }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
      600_000
    )
  }
})
