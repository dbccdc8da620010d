import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { Console, DateTime, Effect, Option, Stdio } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import type { Answering } from "./Answering.ts"
import { attached } from "./Attached.ts"
import { Connection } from "./Connection.ts"
import { TurnEnded } from "./Ending.ts"
import { inputOf } from "./Input.ts"
import { root } from "./Root.ts"
import { InvalidInput } from "@rejoin/contracts/Errors"
import { momentOf } from "./Moment.ts"
import { later, saying } from "./Saying.ts"
import { screen } from "./Screen.ts"
import { visible } from "@rejoin/shown/Visible"
import { startText, timeOf } from "./Text.ts"
import { threadFor } from "./ThreadChoice.ts"

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
  goesOn: Flag.Boolean("continue").pipe(
    Flag.withAlias("c"),
    Flag.withDescription("In the latest thread of this directory, and in no new one"),
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
  image: Flag.String("image").pipe(
    Flag.withDescription("The same as --file, by the name that other commands have for it"),
    Flag.atLeast(0)
  ),
  steer: Flag.Boolean("steer").pipe(
    Flag.withDescription("Join the running turn instead of waiting for its end"),
    Flag.withDefault(false)
  ),
  stream: Flag.Boolean("stream").pipe(
    Flag.withDescription(
      "With --json: each event in a line as it comes, and the settled turn in the last one"
    ),
    Flag.withDefault(false)
  ),
  at: Flag.String("at").pipe(
    Flag.withDescription(
      "Say it then: 09:00, 2026-12-24T09:00, or +2h (m, h, d) from now; nothing is waited for"
    ),
    Flag.optional
  ),
  answer: Flag.Literals("answer", ["ask", "accept", "decline", "wait"]).pipe(
    Flag.withDescription("How to answer the agent; without a terminal: wait for an answer from elsewhere"),
    Flag.optional
  )
}

const meant = Effect.fnUntraced(function* (text: string) {
  const now = yield* DateTime.now
  const moment = momentOf(text, DateTime.toDateUtc(now))
  return moment === undefined
    ? yield* new InvalidInput({
        field: "at",
        message: `--at takes an hour (09:00), a date and an hour (2026-12-24T09:00), or a time from now (+2h); to come, and within a year. Not: ${text}`
      })
    : moment.toISOString()
})

export const send = Command.make(
  "send",
  flags,
  Effect.fn(function* ({ answer: answered, at, file, image, input: given, stdin, steer, stream, ...choice }) {
    const { json } = yield* root
    const connection = yield* Connection
    const stdio = yield* Stdio.Stdio
    const moment = yield* Effect.transposeOption(Option.map(at, meant))
    if (Option.isSome(moment) && steer) {
      return yield* new InvalidInput({ message: "What joins the running turn cannot wait: --at or --steer." })
    }
    const input = yield* inputOf(given, stdin)
    const attachments = yield* Effect.forEach([...file, ...image], attached)
    const client = yield* connection.open
    const { created, thread } = yield* threadFor(client, choice)
    yield* Console.error(
      visible(
        `${created ? "A new thread:" : "In"} ${thread.id} (${thread.provider}, ${thread.runtimeMode}) in ${thread.cwd}`
      )
    )
    if (Option.isSome(moment)) {
      const turn = yield* later(thread, { input, attachments, notBefore: moment.value })
      return yield* json
        ? Console.log(JSON.stringify(turn))
        : Console.error(
            `It begins at ${timeOf(turn.notBefore ?? turn.acceptedAt)}. rejoin interrupt ${thread.id} --turn ${turn.id} withdraws it.`
          )
    }
    const isTerminal = (yield* stdio.stdinIsTerminal) && (yield* stdio.stdoutIsTerminal)
    const how = Option.getOrElse(answered, (): Answering => (isTerminal && !json ? "ask" : "wait"))
    const shown = yield* screen({ silent: json, watching: false })
    const streaming = json && stream
    const { late, receipt, settled } = yield* saying(
      thread,
      { input, attachments, steer },
      { how, shown, ...(streaming && { onEvent: (event) => Console.log(JSON.stringify(event)) }) }
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
    {
      command: 'rejoin send --at 09:00 "Go on."',
      description: "Tomorrow morning, or today if that is to come"
    },
    { command: 'rejoin send --new -p codex -m read-only "Review this."', description: "Begin a new one" },
    { command: "git diff | rejoin send --json --answer decline", description: "From a script" }
  ])
)
