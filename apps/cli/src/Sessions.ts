import type { RejoinClient } from "@rejoin/client/Client"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { Effect, FileSystem, Option, Path } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { findThread, threadArgument } from "./Addressed.ts"
import { Connection } from "./Connection.ts"
import { print } from "./Output.ts"
import { receiptText } from "./Text.ts"

// What changes a thread or its session without saying anything in it.

const threadOf = Effect.fnUntraced(function* (named: string) {
  const client = yield* Effect.flatMap(Connection, ({ open }) => open)
  return { client, thread: yield* findThread(client, named) }
})

/** The thread as it is afterwards, for programs; for people, what was done. */
const after = Effect.fnUntraced(function* (client: RejoinClient, id: string, text: string) {
  const thread = yield* client.threads.get({ params: { id } })
  yield* print(thread, () => text)
})

/** As the server knows it: absolute. One that is not there is left to the server, which says why not. */
export const absolute = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = (yield* Path.Path).resolve(directory)
  return yield* fs.realPath(path).pipe(Effect.orElseSucceed(() => path))
})

const mode = Command.make(
  "mode",
  { thread: threadArgument, mode: Argument.Literals("mode", RuntimeMode.literals) },
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

const interrupt = doing(
  "interrupt",
  ({ sessions }, params) => sessions.interrupt({ params }),
  (id) => `The turn of ${id} was interrupted.`,
  "End the running turn"
)

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
  "Let the next turn start anew"
)

const move = Command.make(
  "move",
  { thread: threadArgument, directory: Argument.String("directory") },
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

const claim = Command.make(
  "claim",
  { thread: threadArgument },
  Effect.fn(function* ({ thread: named }) {
    const { client, thread } = yield* threadOf(named)
    yield* print(yield* client.sessions.claim({ params: { id: thread.id } }), receiptText)
  })
).pipe(
  Command.withDescription("Take the conversation back from a terminal that was left without the command")
)

export const changing = [mode, interrupt, stop, reset, move, fork, claim] as const
