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

const interrupt = Command.make(
  "interrupt",
  { thread: threadArgument },
  Effect.fn(function* ({ thread: named }) {
    const { client, thread } = yield* threadOf(named)
    yield* client.sessions.interrupt({ params: { id: thread.id } })
    yield* after(client, thread.id, `The turn of ${thread.id} was interrupted.`)
  })
).pipe(Command.withDescription("End the running turn"))

const stop = Command.make(
  "stop",
  { thread: threadArgument },
  Effect.fn(function* ({ thread: named }) {
    const { client, thread } = yield* threadOf(named)
    yield* client.sessions.stop({ params: { id: thread.id } })
    yield* after(client, thread.id, `The session of ${thread.id} has ended. The next turn goes on from it.`)
  })
).pipe(Command.withDescription("End the session; the conversation stays"))

const reset = Command.make(
  "reset",
  { thread: threadArgument },
  Effect.fn(function* ({ thread: named }) {
    const { client, thread } = yield* threadOf(named)
    yield* client.sessions.reset({ params: { id: thread.id } })
    yield* after(client, thread.id, `The next turn of ${thread.id} starts anew. The old session is kept.`)
  })
).pipe(Command.withDescription("Let the next turn start anew"))

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

export const changing = [mode, interrupt, stop, reset, move, fork] as const
