import type { RejoinClient } from "@rejoin/client/Client"
import { everything } from "@rejoin/client/Pages"
import { InvalidInput, ThreadNotFound } from "@rejoin/contracts/Errors"
import type { Thread } from "@rejoin/contracts/Thread"
import { Effect, FileSystem, Option, Path } from "effect"
import { Argument } from "effect/cli"
import { Connection } from "./Connection.ts"
import { brief } from "@rejoin/shown/Visible"

/** Which thread is meant. */
export const threadArgument = Argument.String("thread").pipe(
  Argument.withDescription("A thread's id, or a part of it that no other has")
)

/** Every thread, the newest first. */
export const allThreads = (client: RejoinClient) => everything((query) => client.threads.list({ query }))

/** The thread that is named, by its id or a part of it that no other has. */
export const findThread = Effect.fn("findThread")(function* (client: RejoinClient, named: string) {
  if (named === "") return yield* new InvalidInput({ field: "thread", message: "A thread has to be named." })
  const found = yield* client.threads.get({ params: { id: named } }).pipe(
    Effect.asSome,
    Effect.catchTag("ThreadNotFound", () => Effect.succeedNone)
  )
  if (Option.isSome(found)) return found.value
  // Ids begin alike, and a few characters are in many: they name a thread only by accident.
  const part = named.replace(/^thr_/, "")
  const all = part.length < 4 ? [] : yield* allThreads(client)
  const matches = all.filter(({ id }) => id.includes(part))
  const [match, another] = matches
  if (match === undefined) {
    return yield* new ThreadNotFound({
      threadId: named,
      message: `There is no thread ${named}.`,
      hint: "rejoin threads lists them. Four characters of an id are needed at least."
    })
  }
  if (another !== undefined) {
    return yield* new InvalidInput({
      field: "thread",
      message: `${matches.length} threads match:\n${matches.map(({ id, title }) => `  ${id}  ${brief(title, 60)}`).join("\n")}`
    })
  }
  return match
})

/** The thread in which somebody last did something in this directory. */
export const latestIn = (threads: ReadonlyArray<Thread>, cwd: string): Thread | undefined =>
  threads
    .filter((thread) => thread.cwd === cwd)
    .toSorted((a, b) => (a.lastActivityAt < b.lastActivityAt ? 1 : -1))[0]

/** The thread that is named, and the way to it. */
export const threadOf = Effect.fnUntraced(function* (named: string) {
  const client = yield* Effect.flatMap(Connection, ({ open }) => open)
  return { client, thread: yield* findThread(client, named) }
})

/** As the server knows it: absolute. One that is not there is left to the server, which says why not. */
export const absolute = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = (yield* Path.Path).resolve(directory)
  return yield* fs.realPath(path).pipe(Effect.orElseSucceed(() => path))
})
