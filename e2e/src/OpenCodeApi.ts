import { createOpencodeClient } from "@opencode-ai/sdk/v2/client"
import { Effect } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { Stream } from "effect"
import { opencodeInstance } from "./Agents.ts"
import { type World } from "./World.ts"
import { bundledBinary } from "@rejoin/server/EmbeddedOpenCode"

/**
 * An OpenCode server of somebody else on the agent's home: for looking at what is there, and for doing what a user
 * would do behind our back. Ours must be stopped meanwhile, as two servers on one data directory mix histories.
 */
export const foreignServer = Effect.fn("foreignServer")(function* (world: World, home = world.at("agent")) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const binary = (yield* bundledBinary) ?? "opencode"
  const { env } = opencodeInstance(home)
  const handle = yield* spawner.spawn(
    ChildProcess.make(binary, ["serve", "--hostname", "127.0.0.1", "--port", "0"], {
      cwd: world.root,
      env: {
        PATH: world.environment.PATH,
        HOME: home,
        BUN_TMPDIR: world.root,
        ...env,
        OPENCODE_CONFIG: `${world.at("agent")}/opencode.json`
      },
      extendEnv: false,
      stdin: "ignore",
      stderr: "ignore",
      killSignal: "SIGKILL"
    })
  )
  const line = yield* handle.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.filter((line) => line.includes("listening on")),
    Stream.runHead
  )
  const url = /http:\/\/\S+/.exec(line._tag === "Some" ? line.value : "")?.[0] ?? ""
  return { url, sdk: createOpencodeClient({ baseUrl: url }) }
})
