import { Effect } from "effect"
import { Command } from "effect/cli"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { ServerAway } from "./ServerAway.ts"
import { program } from "./ServerProcess.ts"

/** Runs one of the server's programs here, until it ends or we are told to. */
const runHere = Effect.fnUntraced(function* (name: "main" | "demo") {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const code = yield* spawner.exitCode(
    ChildProcess.make(process.execPath, [program(name)], {
      extendEnv: true,
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
      // Ctrl-C reaches it too: it ends as it does without us.
      detached: false,
      forceKillAfter: "30 seconds"
    })
  )
  if (code !== 0) return yield* new ServerAway({ message: `It ended with ${code}.` })
})

export const serve = Command.make("serve", {}, () => runHere("main")).pipe(
  Command.withDescription("Run the server here, until Ctrl-C")
)

export const demo = Command.make("demo", {}, () => runHere("demo")).pipe(
  Command.withDescription("Tell the story in a minute, in a directory of its own")
)
