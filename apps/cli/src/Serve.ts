import { Effect, Schedule } from "effect"
import { Command, Flag } from "effect/cli"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { Connection } from "./Connection.ts"
import { ProgramFailed } from "./Ending.ts"
import { print } from "./Output.ts"
import { root } from "./Root.ts"
import { ServerAway } from "./ServerAway.ts"
import { program } from "./ServerProcess.ts"

/** Runs one of the server's programs here, until it ends or we are told to. It says itself why it fails. */
const runHere = Effect.fnUntraced(function* (
  name: "main" | "demo" | "doctor",
  args: ReadonlyArray<string> = []
) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const code = yield* spawner.exitCode(
    ChildProcess.make(process.execPath, [program(name), ...args], {
      extendEnv: true,
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
      // Ctrl-C reaches it too: it ends as it does without us.
      detached: false,
      forceKillAfter: "30 seconds"
    })
  )
  if (code !== 0) return yield* new ProgramFailed()
})

const isGone = (pid: number) =>
  Effect.sync(() => {
    try {
      return !process.kill(pid, 0)
    } catch {
      return true
    }
  })

/** Ends the server that works on REJOIN_HOME, whoever started it, and waits until it has ended. */
const end = Effect.gen(function* () {
  const connection = yield* Connection
  const pid = yield* connection.process
  const away = (message: string) => new ServerAway({ message: `The server (process ${pid}) ${message}` })
  yield* Effect.try({
    try: () => process.kill(pid, "SIGTERM"),
    catch: (cause) => away(`cannot be ended: ${String(cause)}`)
  })
  yield* isGone(pid).pipe(
    Effect.repeat({ until: (gone) => gone, schedule: Schedule.spaced("50 millis") }),
    Effect.timeoutOrElse({
      duration: "60 seconds",
      orElse: () => Effect.fail(away("was told to end, and has not ended yet."))
    })
  )
  yield* print({ pid }, () => `The server (process ${pid}) has ended. The threads stay.`)
})

export const serve = Command.make(
  "serve",
  {
    stop: Flag.Boolean("stop").pipe(
      Flag.withDescription("End the server that runs, instead"),
      Flag.withDefault(false)
    )
  },
  Effect.fn(function* ({ stop }) {
    yield* stop ? end : runHere("main")
  })
).pipe(Command.withDescription("Run the server here, until Ctrl-C"))

export const doctor = Command.make(
  "doctor",
  {
    fix: Flag.Boolean("fix").pipe(
      Flag.withDescription("Do what it says it would do, and nothing else"),
      Flag.withDefault(false)
    )
  },
  Effect.fn(function* ({ fix }) {
    const { json } = yield* root
    yield* runHere("doctor", [...(fix ? ["--fix"] : []), ...(json ? ["--json"] : [])])
  })
).pipe(Command.withDescription("Say what is wrong with agents, data and conversations, and how to mend it"))

export const demo = Command.make("demo", {}, () => runHere("demo")).pipe(
  Command.withDescription("Tell the story in a minute, in a directory of its own")
)
