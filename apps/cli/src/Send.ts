import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { isSettled } from "@rejoin/contracts/Turn"
import { Console, Effect, Option, Schedule, Stdio } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { Answering } from "./Answering.ts"
import { attached } from "./Attached.ts"
import { Connection } from "./Connection.ts"
import { TurnEnded } from "./Ending.ts"
import { inputOf } from "./Input.ts"
import { root } from "./Root.ts"
import { screen } from "./Screen.ts"
import { visible } from "@rejoin/shown/Visible"
import { startText } from "./Text.ts"
import { threadFor } from "./ThreadChoice.ts"
import { watchTurn } from "./TurnWatch.ts"

const flags = {
  input: Argument.String("input").pipe(
    Argument.withDescription("What to say; without it, what is piped in"),
    Argument.optional
  ),
  thread: Flag.String("thread").pipe(
    Flag.withAlias("t"),
    Flag.withDescription("In this thread; without it, in the latest of this directory, or in a new one"),
    Flag.optional
  ),
  isNew: Flag.Boolean("new").pipe(
    Flag.withAlias("n"),
    Flag.withDescription("In a new thread"),
    Flag.withDefault(false)
  ),
  provider: Flag.String("provider").pipe(
    Flag.withAlias("p"),
    Flag.withDescription("The agent of a new thread; without it, the first that is ready"),
    Flag.optional
  ),
  cwd: Flag.String("cwd").pipe(
    Flag.withAlias("C"),
    Flag.withDescription("The directory; without it, this one"),
    Flag.optional
  ),
  mode: Flag.Literals("mode", RuntimeMode.literals).pipe(
    Flag.withAlias("m"),
    Flag.withDescription("What the agent of a new thread may do without asking you (not its model)"),
    Flag.optional
  ),
  model: Flag.String("model").pipe(Flag.withDescription("The model of a new thread"), Flag.optional),
  stdin: Flag.Boolean("stdin").pipe(
    Flag.withDescription("Say what is piped in too, beneath what is given"),
    Flag.withDefault(false)
  ),
  file: Flag.String("file").pipe(
    Flag.withAlias("f"),
    Flag.withDescription("Send this file with it, a picture for example; more than one may be named"),
    Flag.atLeast(0)
  ),
  steer: Flag.Boolean("steer").pipe(
    Flag.withDescription("Join the running turn instead of waiting for its end"),
    Flag.withDefault(false)
  ),
  answer: Flag.Literals("answer", ["ask", "accept", "decline", "wait"]).pipe(
    Flag.withDescription("How to answer the agent; without a terminal: wait for an answer from elsewhere"),
    Flag.optional
  )
}

export const send = Command.make(
  "send",
  flags,
  Effect.fn(function* ({ answer: answered, file, input: given, stdin, steer, ...choice }) {
    const { json } = yield* root
    const connection = yield* Connection
    const stdio = yield* Stdio.Stdio
    const input = yield* inputOf(given, stdin)
    const attachments = yield* Effect.forEach(file, attached)
    const client = yield* connection.open
    const { created, thread } = yield* threadFor(client, choice)
    yield* Console.error(
      visible(
        `${created ? "A new thread:" : "In"} ${thread.id} (${thread.provider}, ${thread.runtimeMode}) in ${thread.cwd}`
      )
    )
    const isTerminal = (yield* stdio.stdinIsTerminal) && (yield* stdio.stdoutIsTerminal)
    const how = Option.getOrElse(answered, (): Answering => (isTerminal && !json ? "ask" : "wait"))
    // With its key the same turn is sent once, however often the way to the server breaks.
    const idempotencyKey = yield* Effect.sync(() => globalThis.crypto.randomUUID())
    const turn = yield* connection.find.pipe(
      Effect.flatMap(({ turns }) =>
        turns.send({
          params: { id: thread.id },
          payload: {
            input,
            idempotencyKey,
            ...(attachments.length > 0 && { attachments }),
            ...(steer && { delivery: "steer" })
          }
        })
      ),
      Effect.retry({
        while: ({ _tag }) => _tag === "HttpClientError" || _tag === "ServerAway",
        schedule: Schedule.spaced("500 millis"),
        times: 20
      })
    )
    const late = isSettled(turn.status)
    const shown = yield* screen({ silent: json, watching: false })
    const joined = steer && turn.input !== input
    if (joined) yield* shown.note("It joined the turn that runs.")
    else if (thread.session.state === "running" || thread.session.state === "waiting") {
      yield* shown.note(
        "It waits until the running turn has ended; --steer would join that. Ctrl-C withdraws it."
      )
    }
    const receipt = late ? undefined : yield* watchTurn(thread, turn, { how, joined, shown })
    const settled = yield* Effect.flatMap(connection.find, ({ turns }) =>
      turns.get({ params: { id: thread.id, turnId: turn.id }, query: { wait: 60 } })
    )
    if (json) {
      // A script does not see the screen: that it is not the same conversation any more is told both ways.
      if (receipt !== undefined && receipt.outcome !== "adopted" && receipt.outcome !== "created") {
        yield* Console.error(startText(receipt))
      }
      yield* Console.log(JSON.stringify({ ...settled, ...(receipt && { receipt }) }))
    } else if (late) {
      if (settled.output !== "") yield* Console.log(visible(settled.output))
      if (settled.error)
        yield* Console.error(visible([settled.error.message, settled.error.hint].join("\n").trim()))
    }
    if (settled.status === "failed" || settled.status === "interrupted") {
      return yield* new TurnEnded({ status: settled.status })
    }
  }, Effect.scoped)
).pipe(
  Command.withDescription("Say something in a thread, and see the answer as it comes"),
  Command.withExamples([
    {
      command: 'rejoin send "What does this do?"',
      description: "Go on with the latest thread of this directory"
    },
    { command: 'rejoin send --new -p codex -m read-only "Review this."', description: "Begin a new one" },
    { command: "git diff | rejoin send --json --answer decline", description: "From a script" }
  ])
)
