import { InvalidInput } from "@rejoin/contracts/Errors"
import { packageOf, type PackagedAgent } from "@rejoin/providers/Packages"
import { Config, Console, Effect, FileSystem, Option, Path } from "effect"
import { Argument, Command } from "effect/cli"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { allThreads } from "./Addressed.ts"
import { Connection } from "./Connection.ts"
import { end } from "./ServerEnd.ts"
import { home } from "./Home.ts"
import { printTable } from "./Output.ts"
import { providersText } from "./Text.ts"

/** How each is given its user's account. */
const logIn: Readonly<Record<PackagedAgent, string>> = {
  opencode: "auth login",
  codex: "login",
  claude: "/login"
}

/** Where agents are added, for this server alone. */
export const agentsDirectory = Effect.gen(function* () {
  const { join } = yield* Path.Path
  return yield* Config.NonEmptyString("REJOIN_AGENTS").pipe(
    Config.withDefault(join(yield* home, "agents")),
    Effect.mapError(({ message }) => new InvalidInput({ message }))
  )
})

/** Installs an agent by npm, in a directory of ours: nothing of the user's is changed. */
export const install = Effect.fnUntraced(function* (agent: PackagedAgent) {
  const fs = yield* FileSystem.FileSystem
  const { join } = yield* Path.Path
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const directory = yield* agentsDirectory
  const { name, version } = packageOf[agent]
  const failed = (why: string) =>
    new InvalidInput({
      field: "agent",
      message: `${name} could not be installed: ${why}.`,
      hint: `npm install -g ${name}, then start the server again.`
    })
  yield* fs
    .makeDirectory(directory, { recursive: true, mode: 0o700 })
    .pipe(Effect.mapError(({ message }) => failed(message)))
  yield* Console.error(`Installing ${name} ${version} into ${directory} …`)
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"]
  const code = yield* spawner
    .exitCode(
      ChildProcess.make("npm", ["install", "--prefix", directory, ...quiet, `${name}@${version}`], {
        extendEnv: true,
        stdin: "ignore",
        stdout: "ignore",
        stderr: "inherit"
      })
    )
    .pipe(Effect.mapError(({ message }) => failed(message)))
  if (Number(code) !== 0) return yield* failed(`npm ended with ${code}`)
  return join(directory, "node_modules", ".bin", agent)
})

const add = Command.make(
  "add",
  {
    agent: Argument.Literals("agent", ["opencode", "codex", "claude"]).pipe(
      Argument.withDescription("Which one")
    )
  },
  Effect.fn(function* ({ agent }) {
    const program = yield* install(agent)
    yield* Console.log(`${agent} is installed. To use your own account:\n  ${program} ${logIn[agent]}`)
    // A server looks for agents when it starts. One that does nothing now is ended: the next command starts it again.
    const connection = yield* Connection
    const client = yield* Effect.option(connection.find)
    // One that REJOIN_URL names elsewhere is not ours to end.
    if (Option.isNone(client) || Option.isNone(yield* Effect.option(connection.process))) return
    const works = (yield* allThreads(client.value)).some(({ session }) =>
      ["running", "waiting", "starting"].includes(session.state)
    )
    if (works) {
      return yield* Console.log("The server that runs finds it when it is started again: rejoin serve --stop")
    }
    yield* end
  })
).pipe(Command.withDescription("Install an agent for Rejoin alone, by npm"))

export const agents = Command.make(
  "agents",
  {},
  Effect.fn(function* () {
    const client = yield* Effect.flatMap(Connection, ({ open }) => open)
    const { items } = yield* client.providers.list({})
    yield* printTable(items, providersText)
  })
).pipe(
  Command.withDescription("List the agents and which version of each is there; add one"),
  Command.withSubcommands([add])
)
