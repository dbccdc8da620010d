import { keepLoopbackDirect } from "@rejoin/client/Loopback"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import * as Announcement from "./Announcement.ts"
import * as Failing from "./Failing.ts"
import * as Server from "./Server.ts"

keepLoopbackDirect(process.env)

Announcement.layer.pipe(
  Layer.provideMerge(Server.layer),
  Layer.provide(NodeServices.layer),
  Layer.launch,
  Effect.tapCause(Failing.tell),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: Failing.exitCode })
)
