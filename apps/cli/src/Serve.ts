import { Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { install } from "./Agents.ts"
import { ProgramFailed } from "./Ending.ts"
import { root } from "./Root.ts"
import { end } from "./ServerEnd.ts"
import { type Program, program, quietly } from "./ServerProcess.ts"

/** EX_UNAVAILABLE */
const unavailable = 69

/** Runs one of the server's programs here, until it ends or we are told to. */
const exitCodeOf = Effect.fnUntraced(function* (name: Program, args: ReadonlyArray<string> = []) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  return yield* spawner.exitCode(
    ChildProcess.make(process.execPath, [...quietly, program(name), ...args], {
      extendEnv: true,
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
      // Ctrl-C reaches it too: it ends as it does without us.
      detached: false,
      forceKillAfter: "30 seconds"
    })
  )
})

/** It says itself why it fails. */
export const runHere = Effect.fnUntraced(function* (name: Program, args: ReadonlyArray<string> = []) {
  const code = yield* exitCodeOf(name, args)
  if (code !== 0) return yield* new ProgramFailed()
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

export const demo = Command.make(
  "demo",
  {},
  Effect.fn(function* () {
    // The one agent that it needs, where there is none: then it begins again (apps/server/src/demo.ts).
    const code = yield* exitCodeOf("demo")
    if (code !== unavailable) return yield* code === 0 ? Effect.void : new ProgramFailed()
    yield* install("opencode")
    yield* runHere("demo")
  })
).pipe(Command.withDescription("Tell the story in a minute, in a directory of its own"))
