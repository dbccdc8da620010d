import { InvalidInput } from "@rejoin/contracts/Errors"
import type { TerminalCommand } from "@rejoin/contracts/Terminal"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { Console, Effect, Option, Stdio } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { spawn } from "node:child_process"
import { threadArgument, threadOf } from "./Addressed.ts"
import { Connection } from "./Connection.ts"
import { print } from "./Output.ts"
import { receiptText } from "./Text.ts"
import { threadFor } from "./ThreadChoice.ts"

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

const flagsArgument = Argument.String("flags").pipe(
  Argument.withDescription("After --: options of the agent's own command"),
  Argument.variadic()
)

const needsTerminal = (hint: string) =>
  Effect.gen(function* () {
    const stdio = yield* Stdio.Stdio
    if (yield* stdio.stdinIsTerminal) return
    return yield* new InvalidInput({ message: "The agent's own interface needs a terminal.", hint })
  })

/** Hands the thread to this terminal, and takes it back when its user leaves the agent. */
const openHere = Effect.fnUntraced(function* (id: string, flags: ReadonlyArray<string>) {
  const connection = yield* Connection
  const client = yield* connection.open
  const params = { id }
  const claim = Effect.flatMap(connection.open, (client) => client.sessions.claim({ params }))
  // Once it is released it is taken back, whatever happens to us here.
  return yield* Effect.uninterruptible(
    Effect.gen(function* () {
      const command = yield* client.sessions.release({ params, payload: { flags } })
      const what = command.providerSessionId ?? "a new session"
      yield* Console.error(`Opening ${what} in ${command.cwd}. What is sent to ${id} meanwhile is refused.`)
      yield* runHere(command).pipe(Effect.onError(() => Effect.ignore(claim)))
      return yield* claim
    })
  )
})

export const resume = Command.make(
  "resume",
  { thread: threadArgument, flags: flagsArgument },
  Effect.fn(function* ({ flags, thread: named }) {
    const { thread } = yield* threadOf(named)
    yield* needsTerminal(`rejoin send -t ${thread.id} "…"`)
    yield* print(yield* openHere(thread.id, flags), receiptText)
  })
).pipe(
  Command.withDescription(
    "Open the conversation in the agent's own interface, and take it back when you leave"
  )
)

export const run = Command.make(
  "run",
  {
    provider: Flag.String("provider").pipe(
      Flag.withAlias("p"),
      Flag.withDescription("The agent; without it, the first that is ready"),
      Flag.optional
    ),
    cwd: Flag.String("cwd").pipe(
      Flag.withAlias("C"),
      Flag.withDescription("The directory; without it, this one"),
      Flag.optional
    ),
    mode: Flag.Literals("mode", RuntimeMode.literals).pipe(
      Flag.withAlias("m"),
      Flag.withDescription("What the agent may do without asking you (not its model)"),
      Flag.optional
    ),
    model: Flag.String("model").pipe(Flag.withDescription("The model"), Flag.optional),
    flags: flagsArgument
  },
  Effect.fn(function* ({ flags, ...choice }) {
    yield* needsTerminal('rejoin send --new "…"')
    const client = yield* Effect.flatMap(Connection, ({ open }) => open)
    const { thread } = yield* threadFor(client, { ...choice, isNew: true, thread: Option.none() })
    const remove = client.threads.remove({ params: { id: thread.id } })
    yield* openHere(thread.id, flags).pipe(
      Effect.flatMap((receipt) => print(receipt, receiptText)),
      // Nothing was said there: a thread in which nothing is would only stand in the list.
      Effect.catchTag("InvalidInput", ({ message }) => Effect.andThen(remove, Console.error(message))),
      Effect.tapErrorTag("CapabilityMissing", () => Effect.ignore(remove))
    )
  })
).pipe(
  Command.withDescription(
    "Open a new conversation in the agent's own interface, which is a thread when you leave"
  )
)
