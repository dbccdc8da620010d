import { keepLoopbackDirect } from "@rejoin/client/Loopback"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { Command } from "effect/cli"
import { commands } from "./Commands.ts"
import { Connection } from "./Connection.ts"
import { exitCode, exitCodes, tell } from "./Ending.ts"
import * as Presenting from "./Presenting.ts"
import { version } from "./Version.ts"

keepLoopbackDirect(process.env)

// Who reads no further, as `head` does, is no error: it ends us as a broken pipe ends others.
process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  if (code === "EPIPE") process.exit(exitCodes.brokenPipe)
})

commands.pipe(
  Command.run({ version }),
  Effect.provide(Layer.merge(Connection.layer, Presenting.layer(process.argv.includes("--json")))),
  Effect.scoped,
  Effect.tapCause(tell(process.argv.includes("--json"))),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: exitCode })
)
