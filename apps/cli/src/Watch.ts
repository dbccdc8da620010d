import { Console, Effect, Option, Stream } from "effect"
import { Argument, Command } from "effect/cli"
import { findThread } from "./Addressed.ts"
import { Connection } from "./Connection.ts"
import { follow } from "./Following.ts"
import { root } from "./Root.ts"
import { screen } from "./Screen.ts"

/** What happens from now on, in one thread or in all; over a restart of the server, without loss. */
export const watch = Command.make(
  "watch",
  {
    thread: Argument.String("thread").pipe(
      Argument.withDescription("A thread's id, or a part of it that no other has; without it, all of them"),
      Argument.optional
    )
  },
  Effect.fn(function* ({ thread: named }) {
    const { json } = yield* root
    const client = yield* Effect.flatMap(Connection, ({ open }) => open)
    const thread = Option.isSome(named) ? yield* findThread(client, named.value) : undefined
    const after = thread === undefined ? yield* client.position : thread.lastSeq
    const shown = yield* screen({ silent: json, watching: true, many: thread === undefined })
    yield* follow(thread?.id, after, shown.note).pipe(
      Stream.runForEach((event) => (json ? Console.log(JSON.stringify(event)) : shown.show(event)))
    )
  }, Effect.scoped)
).pipe(Command.withDescription("See what happens in a thread, or in all, until Ctrl-C"))
