import { InvalidInput } from "@rejoin/contracts/Errors"
import type { TerminalCommand } from "@rejoin/contracts/Terminal"
import { Console, Effect, Stdio } from "effect"
import { Argument, Command } from "effect/cli"
import { spawn } from "node:child_process"
import { findThread, threadArgument } from "./Addressed.ts"
import { Connection } from "./Connection.ts"
import { print } from "./Output.ts"
import { receiptText } from "./Text.ts"

/**
 * Runs the agent in this terminal until its user leaves it, with Node's own spawn: the terminal is the agent's alone,
 * and signals from its keys are for it. What is ours in the environment does not reach it.
 */
const runHere = ({ args, command, cwd, env }: TerminalCommand) =>
  Effect.callback<void, InvalidInput>((resume) => {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("REJOIN_"))
    const keep = () => {}
    for (const signal of ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP"] as const) process.on(signal, keep)
    const done = (effect: Effect.Effect<void, InvalidInput>) => {
      for (const signal of ["SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP"] as const) process.off(signal, keep)
      resume(effect)
    }
    const child = spawn(command, args, { cwd, env: { ...Object.fromEntries(own), ...env }, stdio: "inherit" })
    child.once("error", ({ message }) =>
      done(
        Effect.fail(
          new InvalidInput({
            message: `The agent cannot be run here: ${message}`,
            hint: "It is run on the machine of the server."
          })
        )
      )
    )
    child.once("exit", () => done(Effect.void))
  })

export const resume = Command.make(
  "resume",
  {
    thread: threadArgument,
    flags: Argument.String("flags").pipe(
      Argument.withDescription("After --: options of the agent's own command"),
      Argument.variadic()
    )
  },
  Effect.fn(function* ({ flags, thread: named }) {
    const connection = yield* Connection
    const client = yield* connection.open
    const thread = yield* findThread(client, named)
    const stdio = yield* Stdio.Stdio
    if (!(yield* stdio.stdinIsTerminal)) {
      return yield* new InvalidInput({
        message: "The agent's own interface needs a terminal.",
        hint: `rejoin send -t ${thread.id} "…"`
      })
    }
    const params = { id: thread.id }
    const claim = Effect.flatMap(connection.open, (client) => client.sessions.claim({ params }))
    // Once it is released it is taken back, whatever happens to us here.
    yield* Effect.uninterruptible(
      Effect.gen(function* () {
        const command = yield* client.sessions.release({ params, payload: { flags } })
        yield* Console.error(
          `Opening ${command.providerSessionId} in ${command.cwd}. What is sent to ${thread.id} meanwhile is refused.`
        )
        yield* runHere(command).pipe(Effect.onError(() => Effect.ignore(claim)))
        yield* print(yield* claim, receiptText)
      })
    )
  })
).pipe(
  Command.withDescription(
    "Open the conversation in the agent's own interface, and take it back when you leave"
  )
)
