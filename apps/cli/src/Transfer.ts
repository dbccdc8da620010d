import { InvalidInput, StoreFailed } from "@rejoin/contracts/Errors"
import type { Thread } from "@rejoin/contracts/Thread"
import { Effect, FileSystem, Option, Stdio, Stream } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { absolute, threadArgument, threadOf } from "./Addressed.ts"
import { Connection } from "./Connection.ts"
import { fileError } from "./FileErrors.ts"
import { print } from "./Output.ts"

// A thread goes to another machine, and comes from one.

const brokeOff = new StoreFailed({
  message: "The export broke off: its last line is missing.",
  hint: "What was written is not whole, and is taken by no server. Export it again."
})

/** As it comes, and failing where it ends without its last line. */
const whole = <E>(bundle: Stream.Stream<Uint8Array, E>) =>
  Stream.suspend(() => {
    let end = ""
    const last = Effect.suspend(() => {
      const line = end.trimEnd().split("\n").at(-1) ?? ""
      return end.endsWith("\n") && line.startsWith('{"kind":"end"') ? Effect.void : Effect.fail(brokeOff)
    })
    return bundle.pipe(
      Stream.tap((bytes) =>
        Effect.sync(() => {
          end = (end + Buffer.from(bytes.subarray(-1000)).toString("latin1")).slice(-1000)
        })
      ),
      Stream.concat(Stream.drain(Stream.fromEffect(last)))
    )
  })

/** A new file, for its owner alone; gone again where it does not become whole. */
const toFile = <E>(path: string, bundle: Stream.Stream<Uint8Array, E>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = yield* fs
      .open(path, { flag: "wx", mode: 0o600 })
      .pipe(Effect.mapError(fileError("output", path)))
    yield* bundle.pipe(
      Stream.runForEach((bytes) => file.writeAll(bytes)),
      Effect.andThen(file.sync),
      Effect.onError(() => Effect.ignore(fs.remove(path)))
    )
  }).pipe(Effect.scoped)

const exportThread = Command.make(
  "export",
  {
    thread: threadArgument,
    output: Flag.File("output").pipe(
      Flag.withAlias("o"),
      Flag.withDescription("Into this file, which must not be there; else to the standard output"),
      Flag.optional
    ),
    move: Flag.Boolean("move").pipe(
      Flag.withDescription("It goes on elsewhere: here it is refused until it is claimed"),
      Flag.withDefault(false)
    ),
    to: Flag.String("to").pipe(
      Flag.withDescription("With --move: where it goes, in words for whoever looks for it here"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ move, output, thread: named, to }) {
    const stdio = yield* Stdio.Stdio
    if (Option.isNone(output) && (yield* stdio.stdoutIsTerminal)) {
      return yield* new InvalidInput({
        field: "output",
        message: "An export is nothing to be read on a terminal.",
        hint: "Name a file (-o FILE), or pipe it: rejoin export … | ssh HOST rejoin import"
      })
    }
    const { client, thread } = yield* threadOf(named)
    const bundle = whole(
      yield* client.threads.export({
        params: { id: thread.id },
        query: { ...(move && { move: "true" as const }), ...(Option.isSome(to) && { to: to.value }) }
      })
    )
    if (Option.isNone(output)) return yield* Stream.run(bundle, stdio.stdout({ endOnDone: false }))
    yield* toFile(output.value, bundle)
    yield* print({ id: thread.id, file: output.value }, ({ file, id }) =>
      move
        ? `${id} is in ${file}. It goes on where that is imported; here it is refused until it is claimed.`
        : `${id} is in ${file}.`
    )
  })
).pipe(Command.withDescription("Write a thread out, whole: what was said, and the agent's own record of it"))

const importedText = (thread: Thread) =>
  thread.transcript === null && thread.session.providerSessionId !== undefined
    ? `${thread.id} is here, in ${thread.cwd}, without the agent's own record: what was said can be read, and not be gone on from.`
    : `${thread.id} is here, in ${thread.cwd} (${thread.runtimeMode}). Its next turn goes on from what was said.`

const importThread = Command.make(
  "import",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("What was exported; without one, or for -, the standard input"),
      Argument.optional
    ),
    cwd: Flag.String("cwd").pipe(
      Flag.withAlias("C"),
      Flag.withDescription("The directory in which it goes on; by default the one that it had"),
      Flag.optional
    ),
    provider: Flag.String("provider").pipe(
      Flag.withAlias("p"),
      Flag.withDescription("Which of the agents here it goes on with; by default the one of its name"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ cwd, file, provider }) {
    const stdio = yield* Stdio.Stdio
    const fs = yield* FileSystem.FileSystem
    const path = Option.getOrElse(file, () => "-")
    if (path === "-" && (yield* stdio.stdinIsTerminal)) {
      return yield* new InvalidInput({
        field: "file",
        message: "There is nothing to import.",
        hint: "rejoin import FILE, or ssh HOST rejoin export … | rejoin import"
      })
    }
    if (path !== "-") {
      yield* Effect.mapError(fs.access(path, { readable: true }), fileError("file", path))
    }
    const payload = path === "-" ? stdio.stdin : fs.stream(path)
    const { threads } = yield* Effect.flatMap(Connection, ({ open }) => open)
    const query = {
      ...(Option.isSome(cwd) && { cwd: yield* absolute(cwd.value) }),
      ...(Option.isSome(provider) && { provider: provider.value })
    }
    yield* print(yield* threads.import({ payload, query }), importedText)
  })
).pipe(Command.withDescription("Take a thread that was exported elsewhere, under its own id"))

export const transfer = [exportThread, importThread] as const
