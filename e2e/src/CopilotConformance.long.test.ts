import { NodeServices } from "@effect/platform-node"
import { conformance } from "@rejoin/testkit/Conformance"
import { Effect } from "effect"
import { agentGround } from "./AgentHarness.ts"

conformance("Copilot", agentGround("copilot").pipe(Effect.provide(NodeServices.layer)))
