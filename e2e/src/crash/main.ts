// `pnpm crash --runs N --seed S [--agent memory|opencode|codex|claude]`: random lives of a server, killed anywhere.
// Says each violation with the seed that shows it again, and where it was killed; exits with 1 if there was one.
// With `--carry N` one run on a real agent: N kills each of a restore, a handover, and an export with its import.
import type { StoreFailed } from "@rejoin/contracts/Errors"
import { Effect, Schema } from "effect"
import { parseArgs } from "node:util"
import { memoryRun } from "./MemoryRuns.ts"
import { agentCarry, agentRun } from "./AgentRuns.ts"

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    agent: { type: "string", default: "memory" },
    carry: { type: "string", default: "0" }
  }
})
const Count = Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0))
const arguments_ = Schema.decodeUnknownSync(
  Schema.Struct({
    runs: Count,
    seed: Count,
    carry: Count,
    agent: Schema.Literals(["memory", "opencode", "codex", "claude"])
  })
)(values)

const { agent, carry, seed } = arguments_
const runs = carry > 0 ? 1 : arguments_.runs
const run: (
  seed: number
) => Effect.Effect<
  { readonly violations: ReadonlyArray<string>; readonly deaths: ReadonlyArray<string> },
  StoreFailed
> = agent === "memory" ? memoryRun : carry > 0 ? () => agentCarry(agent, carry) : agentRun(agent)
const deaths = new Map<string, number>()
let failed = 0

for (let i = 0; i < runs; i++) {
  const result = await Effect.runPromise(run(seed + i))
  for (const point of result.deaths) deaths.set(point, (deaths.get(point) ?? 0) + 1)
  if (result.violations.length === 0) continue
  failed++
  console.error(`seed ${seed + i}, killed ${result.deaths.join(", ") || "nowhere"}:`)
  for (const violation of result.violations) console.error(`  ${violation}`)
}
for (const [point, times] of [...deaths].toSorted(([a], [b]) => a.localeCompare(b))) {
  console.log(`${String(times).padStart(6)} killed ${point}`)
}
console.log(`${runs - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
