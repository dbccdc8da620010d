import { Effect } from "effect"
import type { Agent } from "../Agents.ts"
export const agentRun = (_: Agent) => (seed: number) =>
  Effect.succeed({
    deaths: [] as ReadonlyArray<string>,
    violations: [`not yet ${seed}`] as ReadonlyArray<string>
  })
