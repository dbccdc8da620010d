import { keepLoopbackDirect } from "@rejoin/client/Loopback"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { Command } from "effect/cli"
import { agents } from "./Agents.ts"
import { answer } from "./Answer.ts"
import { backup } from "./Backup.ts"
import { Connection } from "./Connection.ts"
import { exitCode, exitCodes, tell } from "./Ending.ts"
import { logs } from "./Logs.ts"
import { own } from "./Own.ts"
import { page } from "./Page.ts"
import * as Presenting from "./Presenting.ts"
import { resume, run } from "./Resume.ts"
import { root } from "./Root.ts"
import { search } from "./Search.ts"
import { send } from "./Send.ts"
import { demo, doctor, serve } from "./Serve.ts"
import { changing } from "./Sessions.ts"
import { looking } from "./Threads.ts"
import { transfer } from "./Transfer.ts"
import { rules } from "./Rules.ts"
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
    rules,
    resume,
    run,
    ...looking,
    ...changing,
    ...transfer,
    ...own,
    search,
    trust,
    ...page,
    agents,
    backup,
    doctor,
    logs,
    serve,
    demo
  ]),
  Command.run({ version: "0.1.0" }),
  Effect.provide(Layer.merge(Connection.layer, Presenting.layer(process.argv.includes("--json")))),
  Effect.scoped,
  Effect.tapCause(tell(process.argv.includes("--json"))),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: exitCode })
)
