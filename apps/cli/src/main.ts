import { keepLoopbackDirect } from "@rejoin/client/Loopback"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect } from "effect"
import { Command } from "effect/cli"
import { answer } from "./Answer.ts"
import { Connection } from "./Connection.ts"
import { exitCode, exitCodes, tell } from "./Ending.ts"
import { page } from "./Page.ts"
import { resume } from "./Resume.ts"
import { root } from "./Root.ts"
import { send } from "./Send.ts"
import { demo, doctor, serve } from "./Serve.ts"
import { changing } from "./Sessions.ts"
import { looking } from "./Threads.ts"
import { trust } from "./Trust.ts"
import { watch } from "./Watch.ts"

keepLoopbackDirect(process.env)

// Who reads no further, as `head` does, is no error: it ends us as a broken pipe ends others.
process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  if (code === "EPIPE") process.exit(exitCodes.brokenPipe)
})

root.pipe(
  Command.withSubcommands([
    send,
    watch,
    answer,
    resume,
    ...looking,
    ...changing,
    trust,
    page,
    doctor,
    serve,
    demo
  ]),
  Command.run({ version: "0.1.0" }),
  Effect.provide(Connection.layer),
  Effect.scoped,
  Effect.tapCause(tell(process.argv.includes("--json"))),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: exitCode })
)
