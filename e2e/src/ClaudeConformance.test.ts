import { NodeServices } from "@effect/platform-node"
import { conformance } from "@rejoin/testkit/Conformance"
import { Effect } from "effect"
import { agentHarness } from "./AgentHarness.ts"

conformance("Claude", agentHarness("claude").pipe(Effect.provide(NodeServices.layer)))
