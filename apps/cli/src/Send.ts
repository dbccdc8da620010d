import { InvalidInput } from "@rejoin/contracts/Errors"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Thread } from "@rejoin/contracts/Thread"
import { isSettled, type Turn } from "@rejoin/contracts/Turn"
import { Cause, Console, Effect, Exit, Option, Schedule, Stdio, Stream, Terminal } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { type Answering, answerAll } from "./Answering.ts"
import { Connection } from "./Connection.ts"
import { TurnEnded } from "./Ending.ts"
import { follow } from "./Following.ts"
import { root } from "./Root.ts"
import { screen } from "./Screen.ts"
import { threadFor } from "./ThreadChoice.ts"

const flags = {
  input: Argument.String("input").pipe(
    Argument.withDescription("What to say; without it, what comes on the standard input"),
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
    Flag.withDescription("What the agent of a new thread may do without being asked"),
    Flag.optional
  ),
  model: Flag.String("model").pipe(Flag.withDescription("The model of a new thread"), Flag.optional),
  steer: Flag.Boolean("steer").pipe(
    Flag.withDescription("Join the running turn instead of waiting for its end"),
    Flag.withDefault(false)
  ),
  answer: Flag.Literals("answer", ["ask", "accept", "decline", "wait"]).pipe(
    Flag.withDescription("How to answer the agent; without a terminal: wait for an answer from elsewhere"),
    Flag.optional
  )
}

const inputOf = Effect.fnUntraced(function* (given: Option.Option<string>) {
  const stdio = yield* Stdio.Stdio
  const input = Option.isSome(given)
    ? given.value
    : (yield* stdio.stdinIsTerminal)
      ? ""
      : yield* stdio.stdin.pipe(Stream.decodeText(), Stream.mkString)
  if (input.trim() !== "") return input
  return yield* new InvalidInput({
    field: "input",
    message: "There is nothing to say.",
    hint: 'rejoin send "…", or … | rejoin send'
  })
})

/** Follows the turn to its end. Ctrl-C ends the turn, not the server. */
const watchTurn = Effect.fnUntraced(function* (thread: Thread, turn: Turn, how: Answering, json: boolean) {
  const connection = yield* Connection
  const shown = yield* screen(json)
  const answered = new Set<string>()
  const seen = follow(thread.id, thread.lastSeq).pipe(
    Stream.filter(({ turnId }) => turnId === undefined || turnId === turn.id),
    Stream.tap(shown.show),
    Stream.tap(({ type }) =>
      type === "request.opened" || type === "user-input.opened"
        ? Effect.flatMap(connection.find, (client) => answerAll(client, thread.id, how, answered))
        : Effect.void
    ),
    Stream.takeUntil(
      ({ turnId, type }) =>
        turnId === turn.id &&
        (type === "turn.completed" || type === "turn.failed" || type === "turn.interrupted")
    ),
    Stream.runDrain
  )
  const interrupt = Effect.flatMap(connection.find, (client) =>
    client.sessions.interrupt({ params: { id: thread.id } })
  ).pipe(Effect.timeout("10 seconds"), Effect.ignore)
  yield* seen.pipe(
    Effect.onExit((exit) =>
      Exit.isFailure(exit) &&
      (Cause.hasInterruptsOnly(exit.cause) || Cause.squash(exit.cause) instanceof Terminal.QuitError)
        ? Effect.andThen(Console.error("Interrupting the turn."), interrupt)
        : Effect.void
    )
  )
})

export const send = Command.make(
  "send",
  flags,
  Effect.fn(function* ({ answer, input: given, steer, ...choice }) {
    const { json } = yield* root
    const connection = yield* Connection
    const stdio = yield* Stdio.Stdio
    const input = yield* inputOf(given)
    const client = yield* connection.open
    const { created, thread } = yield* threadFor(client, choice)
    yield* Console.error(
      `${created ? "A new thread:" : "In"} ${thread.id} (${thread.provider}, ${thread.runtimeMode}) in ${thread.cwd}`
    )
    const isTerminal = (yield* stdio.stdinIsTerminal) && (yield* stdio.stdoutIsTerminal)
    const how = Option.getOrElse(answer, (): Answering => (isTerminal && !json ? "ask" : "wait"))
    // With its key the same turn is sent once, however often the way to the server breaks.
    const idempotencyKey = yield* Effect.sync(() => globalThis.crypto.randomUUID())
    const turn = yield* connection.find.pipe(
      Effect.flatMap(({ turns }) =>
        turns.send({
          params: { id: thread.id },
          payload: { input, idempotencyKey, ...(steer && { delivery: "steer" }) }
        })
      ),
      Effect.retry({
        while: ({ _tag }) => _tag === "HttpClientError" || _tag === "ServerAway",
        schedule: Schedule.spaced("500 millis"),
        times: 20
      })
    )
    const late = isSettled(turn.status)
    if (!late) yield* Effect.scoped(watchTurn(thread, turn, how, json))
    const settled = yield* Effect.flatMap(connection.find, ({ turns }) =>
      turns.get({ params: { id: thread.id, turnId: turn.id }, query: { wait: 60 } })
    )
    if (json || late) yield* Console.log(json ? JSON.stringify(settled) : settled.output)
    if (settled.status === "failed" || settled.status === "interrupted") {
      return yield* new TurnEnded({ status: settled.status })
    }
  })
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
