import { NodeServices } from "@effect/platform-node"
import { conformance } from "@rejoin/testkit/Conformance"
import { Effect } from "effect"
import { agentGround } from "./AgentHarness.ts"

// It may not load a session within the minute of its creation: each test has a home of its own, and they wait side by side.
const harness = Effect.flatMap(agentGround("gemini"), (ground) => ground.harness)

conformance("Gemini", Effect.succeed({ harness: Effect.provide(harness, NodeServices.layer) }), {
  concurrent: true
})
