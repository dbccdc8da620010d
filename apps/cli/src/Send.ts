import { InvalidInput } from "@rejoin/contracts/Errors"
import { Receipt } from "@rejoin/contracts/Receipt"
import { PendingRequest } from "@rejoin/contracts/Request"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Thread } from "@rejoin/contracts/Thread"
import { isSettled, type Turn } from "@rejoin/contracts/Turn"
import {
  Cause,
  Console,
  Deferred,
  Effect,
  Exit,
  Option,
  Queue,
  Schedule,
  Schema,
  Stdio,
  Stream,
  Terminal
} from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { fstatSync } from "node:fs"
import { answer, type Answering } from "./Answering.ts"
import { Connection } from "./Connection.ts"
import { TurnEnded } from "./Ending.ts"
import { follow } from "./Following.ts"
import { root } from "./Root.ts"
import { type Screen, screen } from "./Screen.ts"
import { startText } from "./Text.ts"
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
  steer: Flag.Boolean("steer").pipe(
    Flag.withDescription("Join the running turn instead of waiting for its end"),
    Flag.withDefault(false)
  ),
  answer: Flag.Literals("answer", ["ask", "accept", "decline", "wait"]).pipe(
    Flag.withDescription("How to answer the agent; without a terminal: wait for an answer from elsewhere"),
    Flag.optional
  )
}

const isPiped = Effect.sync(() => {
  try {
    const input = fstatSync(0)
    return input.isFIFO() || input.isFile()
  } catch {
    return false
  }
})

/**
 * What is given, and where that is wanted what is piped in beneath it. A standard input that is only inherited may never
 * end, or be somebody else's: with something given it is not read unasked, and where there may be something, that is told.
 */
const inputOf = Effect.fnUntraced(function* (given: Option.Option<string>, wanted: boolean) {
  const stdio = yield* Stdio.Stdio
  const reads = wanted || (Option.isNone(given) && !(yield* stdio.stdinIsTerminal))
  if (!reads && (yield* isPiped)) {
    yield* Console.error("What is piped in was not read: --stdin sends it too.")
  }
  const piped = reads ? yield* stdio.stdin.pipe(Stream.decodeText(), Stream.mkString) : ""
  const input = [...Option.toArray(given), piped].filter((part) => part.trim() !== "").join("\n\n")
  if (input !== "") return input
  return yield* new InvalidInput({
    field: "input",
    message: "There is nothing to say.",
    hint: 'rejoin send "…", or … | rejoin send'
  })
})

/** Ends this turn, and nobody else's; says where that could not be seen. */
const endTurn = Effect.fnUntraced(function* (turn: Turn, shown: Screen) {
  const connection = yield* Connection
  const params = { id: turn.threadId, turnId: turn.id }
  yield* shown.note("Ending the turn.")
  yield* Effect.gen(function* () {
    const { turns } = yield* connection.find
    yield* turns.interrupt({ params })
    const { status } = yield* turns.get({ params, query: { wait: 15 } })
    if (!isSettled(status)) {
      yield* shown.note(`It has not ended yet. rejoin interrupt ${turn.threadId} tries again.`)
    }
  }).pipe(
    Effect.timeout("30 seconds"),
    Effect.catch(({ message }) => shown.note(`Whether it has ended is not known: ${message}`))
  )
})

const told = Schema.decodeUnknownOption(
  Schema.Struct({ request: Schema.optionalKey(PendingRequest), receipt: Schema.optionalKey(Receipt) })
)
const resolved = Schema.decodeUnknownOption(Schema.Struct({ id: Schema.String }))

/**
 * Follows the turn to its end, and answers what is asked meanwhile. Ctrl-C ends the turn, not the server. Returns what
 * the last start of its session did, where one was made for it.
 */
const watchTurn = Effect.fnUntraced(function* (
  thread: Thread,
  turn: Turn,
  { how, joined, shown }: { readonly how: Answering; readonly joined: boolean; readonly shown: Screen }
) {
  const connection = yield* Connection
  const requests = yield* Queue.unbounded<PendingRequest>()
  const answered = new Map<string, Deferred.Deferred<void>>()
  const closing = (id: string) => {
    const known = answered.get(id) ?? Deferred.makeUnsafe<void>()
    answered.set(id, known)
    return known
  }
  let receipt: Receipt | undefined
  const notice = Effect.fnUntraced(function* ({ data, type }: RuntimeEvent) {
    const { receipt: start, request } = Option.getOrElse(told(data), () => ({
      receipt: undefined,
      request: undefined
    }))
    if (start !== undefined) receipt = start
    if (request !== undefined) yield* Queue.offer(requests, request)
    if (type === "request.resolved" || type === "user-input.resolved") {
      const id = Option.getOrUndefined(resolved(data))?.id
      if (id !== undefined) yield* Deferred.succeed(closing(id), undefined)
    }
  })
  const seen = follow(thread.id, thread.lastSeq, shown.note).pipe(
    Stream.filter(({ turnId }) => turnId === undefined || turnId === turn.id),
    Stream.tap(notice),
    Stream.tap(shown.show),
    Stream.takeUntil(
      ({ turnId, type }) =>
        turnId === turn.id &&
        (type === "turn.completed" || type === "turn.failed" || type === "turn.interrupted")
    ),
    Stream.runDrain
  )
  const answering = Queue.take(requests).pipe(
    Effect.flatMap((request) =>
      shown.asking(answer(connection.find, request, how, Deferred.await(closing(request.id))))
    ),
    Effect.forever
  )
  // What the turn that it joined had asked before is not among the events to come.
  const before = Effect.gen(function* () {
    if (!joined) return
    const { threads } = yield* connection.find
    const { items } = yield* threads.requests({ params: { id: thread.id } })
    yield* Queue.offerAll(requests, items)
  })
  yield* Effect.andThen(before, Effect.raceFirst(seen, answering)).pipe(
    Effect.onExit((exit) =>
      Exit.isFailure(exit) &&
      (Cause.hasInterruptsOnly(exit.cause) || Cause.squash(exit.cause) instanceof Terminal.QuitError)
        ? joined
          ? shown.note("It was said; the turn that it joined goes on.")
          : endTurn(turn, shown)
        : Effect.void
    )
  )
  return receipt
})

export const send = Command.make(
  "send",
  flags,
  Effect.fn(function* ({ answer: answered, input: given, stdin, steer, ...choice }) {
    const { json } = yield* root
    const connection = yield* Connection
    const stdio = yield* Stdio.Stdio
    const input = yield* inputOf(given, stdin)
    const client = yield* connection.open
    const { created, thread } = yield* threadFor(client, choice)
    yield* Console.error(
      `${created ? "A new thread:" : "In"} ${thread.id} (${thread.provider}, ${thread.runtimeMode}) in ${thread.cwd}`
    )
    const isTerminal = (yield* stdio.stdinIsTerminal) && (yield* stdio.stdoutIsTerminal)
    const how = Option.getOrElse(answered, (): Answering => (isTerminal && !json ? "ask" : "wait"))
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
      if (settled.output !== "") yield* Console.log(settled.output)
      if (settled.error) yield* Console.error([settled.error.message, settled.error.hint].join("\n").trim())
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
