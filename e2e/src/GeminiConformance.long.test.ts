import { NodeServices } from "@effect/platform-node"
import { conformance } from "@rejoin/testkit/Conformance"
import { Effect } from "effect"
import { agentGround } from "./AgentHarness.ts"

conformance("Gemini", agentGround("gemini").pipe(Effect.provide(NodeServices.layer)))
