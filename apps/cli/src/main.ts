import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { Connection } from "./Connection.ts"
import { exitCode, tell } from "./Ending.ts"
import { page } from "./Page.ts"
import { resume } from "./Resume.ts"
import { root } from "./Root.ts"
import { send } from "./Send.ts"
import { demo, doctor, serve } from "./Serve.ts"
import { changing } from "./Sessions.ts"
import { looking } from "./Threads.ts"
import { watch } from "./Watch.ts"

root.pipe(
  Command.withSubcommands([send, watch, resume, ...looking, ...changing, page, doctor, serve, demo]),
  Command.run({ version: "0.1.0" }),
  Effect.provide(Connection.layer),
  Effect.scoped,
  Effect.tapCause(tell(process.argv.includes("--json"))),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: exitCode })
)
