import { SessionNotRunning, TurnNotFound } from "@rejoin/contracts/Errors"
import type { RejoinClient } from "@rejoin/client/Client"
import type { Thread } from "@rejoin/contracts/Thread"
import { isSettled, waits } from "@rejoin/contracts/Turn"
import { OnLimit } from "@rejoin/contracts/Unattended"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { everything } from "@rejoin/client/Pages"
import { Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { absolute, threadArgument, threadOf } from "./Addressed.ts"
import { after, print } from "./Output.ts"
import { receiptText } from "./Text.ts"

// What changes a thread or its session without saying anything in it.

const mode = Command.make(
  "mode",
  {
    thread: threadArgument,
    mode: Argument.Literals("mode", RuntimeMode.literals).pipe(
      Argument.withDescription(RuntimeMode.literals.join(", "))
    )
  },
  Effect.fn(function* ({ mode, thread: named }) {
    const { client, thread } = yield* threadOf(named)
    yield* client.threads.update({ params: { id: thread.id }, payload: { runtimeMode: mode } })
    yield* after(client, thread.id, `${thread.id} runs in ${mode} from its next turn.`)
  })
).pipe(Command.withDescription("Switch what the agent may do without being asked"))

/** A command that does one thing to a thread and takes nothing else. */
const doing = <const Name extends string, A, E>(
  name: Name,
  act: (client: RejoinClient, params: { readonly id: string }) => Effect.Effect<A, E>,
  done: (id: string) => string,
  description: string
) =>
  Command.make(
    name,
    { thread: threadArgument },
    Effect.fn(function* ({ thread: named }) {
      const { client, thread } = yield* threadOf(named)
      yield* act(client, { id: thread.id })
      yield* after(client, thread.id, done(thread.id))
    })
  ).pipe(Command.withDescription(description))

const interrupt = Command.make(
  "interrupt",
  {
    thread: threadArgument,
    turn: Flag.String("turn").pipe(
      Flag.withDescription("This turn and no other, by its id or a part of it; one that waits is withdrawn"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ thread: named, turn }) {
    const { client, thread } = yield* threadOf(named)
    if (Option.isSome(turn)) {
      const open = (yield* everything((query) =>
        client.turns.list({ params: { id: thread.id }, query })
      )).filter(({ id, status }) => !isSettled(status) && id.includes(turn.value))
      const [found] = open
      if (found === undefined || open.length > 1) {
        return yield* new TurnNotFound({
          turnId: turn.value,
          message: open.length > 1 ? "More than one turn is called so." : "No such turn waits or runs there.",
          hint: `rejoin show ${thread.id} lists them.`
        })
      }
      yield* client.turns.interrupt({ params: { id: thread.id, turnId: found.id } })
      return yield* after(
        client,
        thread.id,
        waits(found) ? `The turn ${found.id} was withdrawn.` : `The turn ${found.id} was interrupted.`
      )
    }
    const works = ["running", "waiting", "starting"].includes(thread.session.state)
    yield* client.sessions.interrupt({ params: { id: thread.id } })
    if (!works) return yield* new SessionNotRunning({ threadId: thread.id, message: "No turn is running." })
    yield* after(client, thread.id, `The turn of ${thread.id} was interrupted.`)
  })
).pipe(Command.withDescription("End the running turn, or withdraw one that waits"))

const onLimit = Command.make(
  "on-limit",
  {
    thread: threadArgument,
    does: Argument.Literals("does", [...OnLimit.literals, "default"]).pipe(
      Argument.withDescription(
        "fail: the turn ends with it; wait: it is waited for, then the work goes on; default: as config.json says"
      )
    )
  },
  Effect.fn(function* ({ does, thread: named }) {
    const { client, thread } = yield* threadOf(named)
    yield* client.threads.update({
      params: { id: thread.id },
      payload: { onLimit: does === "default" ? null : does }
    })
    yield* after(
      client,
      thread.id,
      {
        wait: `${thread.id} waits for the end of a usage limit, and goes on by itself then.`,
        fail: `A turn of ${thread.id} that meets a usage limit ends with it.`,
        default: `${thread.id} does at a usage limit what config.json says.`
      }[does]
    )
  })
).pipe(Command.withDescription("What becomes of a thread's turn that meets a usage limit"))

const model = Command.make(
  "model",
  {
    thread: threadArgument,
    model: Argument.String("model").pipe(Argument.withDescription("As the agent calls it"))
  },
  Effect.fn(function* ({ model, thread: named }) {
    const { client, thread } = yield* threadOf(named)
    yield* client.threads.update({ params: { id: thread.id }, payload: { model } })
    yield* after(client, thread.id, `${thread.id} is answered by ${model} from its next turn.`)
  })
).pipe(Command.withDescription("Switch the model"))

const rename = Command.make(
  "rename",
  {
    thread: threadArgument,
    title: Argument.String("title").pipe(Argument.withDescription("What it is called"))
  },
  Effect.fn(function* ({ thread: named, title }) {
    const { client, thread } = yield* threadOf(named)
    yield* client.threads.update({ params: { id: thread.id }, payload: { title } })
    yield* after(client, thread.id, `${thread.id} is called “${title}”.`)
  })
).pipe(Command.withDescription("Give the thread another name"))

const remove = Command.make(
  "rm",
  { thread: threadArgument },
  Effect.fn(function* ({ thread: named }) {
    const { client, thread } = yield* threadOf(named)
    yield* client.threads.remove({ params: { id: thread.id } })
    yield* print({ id: thread.id }, ({ id }) => `${id} is forgotten here. The agent keeps its session.`)
  })
).pipe(Command.withDescription("Forget the thread and its receipts; the agent keeps its session"))

const stop = doing(
  "stop",
  ({ sessions }, params) => sessions.stop({ params }),
  (id) => `The session of ${id} has ended. The next turn goes on from it.`,
  "End the session; the conversation stays"
)

const reset = doing(
  "reset",
  ({ sessions }, params) => sessions.reset({ params }),
  (id) => `The next turn of ${id} starts anew. The old session is kept.`,
  "Let the next turn start anew: the agent will know nothing of what was said"
)

const move = Command.make(
  "move",
  {
    thread: threadArgument,
    directory: Argument.String("directory").pipe(
      Argument.withDescription("Where it goes on, for example another worktree")
    )
  },
  Effect.fn(function* ({ directory, thread: named }) {
    const { client, thread } = yield* threadOf(named)
    const cwd = yield* absolute(directory)
    const receipt = yield* client.sessions.move({ params: { id: thread.id }, payload: { cwd } })
    yield* print(receipt, receiptText)
  })
).pipe(Command.withDescription("Carry the conversation into another directory, now"))

const fork = Command.make(
  "fork",
  {
    thread: threadArgument,
    turn: Flag.String("turn").pipe(Flag.withDescription("As it was after this turn"), Flag.optional),
    cwd: Flag.String("cwd").pipe(
      Flag.withAlias("C"),
      Flag.withDescription("In this directory"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ cwd, thread: named, turn }) {
    const { client, thread } = yield* threadOf(named)
    const forked = yield* client.sessions.fork({
      params: { id: thread.id },
      payload: {
        ...(Option.isSome(turn) && { turnId: turn.value }),
        ...(Option.isSome(cwd) && { cwd: yield* absolute(cwd.value) })
      }
    })
    yield* print(forked, ({ cwd, id }) => `${id} goes on from ${thread.id} in ${cwd}.`)
  })
).pipe(Command.withDescription("Open a new thread that goes on from this conversation"))

const handover = Command.make(
  "handover",
  {
    thread: threadArgument,
    provider: Argument.String("provider").pipe(
      Argument.withDescription("Which agent goes on: rejoin providers lists them")
    ),
    model: Flag.String("model").pipe(
      Flag.withDescription("Its model; by default that agent's own"),
      Flag.optional
    ),
    cwd: Flag.String("cwd").pipe(
      Flag.withAlias("C"),
      Flag.withDescription("In this directory; by default where it is"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ cwd, model, provider, thread: named }) {
    const { client, thread } = yield* threadOf(named)
    const receipt = yield* client.sessions.handover({
      params: { id: thread.id },
      payload: {
        provider: provider as Thread["provider"],
        ...(Option.isSome(model) && { model: model.value }),
        ...(Option.isSome(cwd) && { cwd: yield* absolute(cwd.value) })
      }
    })
    yield* print(receipt, receiptText)
  })
).pipe(Command.withDescription("Go on with another agent, which has what was said as its own history"))

const claim = Command.make(
  "claim",
  { thread: threadArgument },
  Effect.fn(function* ({ thread: named }) {
    const { client, thread } = yield* threadOf(named)
    yield* print(yield* client.sessions.claim({ params: { id: thread.id } }), receiptText)
  })
).pipe(
  Command.withDescription(
    "Take a conversation back from a terminal, where `rejoin resume` did not come to do it"
  )
)

const acceptHistory = Command.make(
  "accept-history",
  { thread: threadArgument },
  Effect.fn(function* ({ thread: named }) {
    const { client, thread } = yield* threadOf(named)
    yield* print(yield* client.sessions.acceptHistory({ params: { id: thread.id } }), receiptText)
  })
).pipe(
  Command.withDescription(
    "Go on from what the agent has now, after turns were undone in its own interface; they are marked here"
  )
)

const restore = Command.make(
  "restore",
  { thread: threadArgument },
  Effect.fn(function* ({ thread: named }) {
    const { client, thread } = yield* threadOf(named)
    yield* print(yield* client.sessions.restore({ params: { id: thread.id } }), receiptText)
  })
).pipe(
  Command.withDescription(
    "Bring a conversation that its agent lost back from our copy, into the data that the agent works on now"
  )
)

export const changing = [
  interrupt,
  onLimit,
  stop,
  reset,
  move,
  fork,
  handover,
  mode,
  model,
  rename,
  remove,
  claim,
  acceptHistory,
  restore
] as const
