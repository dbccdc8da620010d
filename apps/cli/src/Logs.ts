import { visible } from "@rejoin/shown/Visible"
import { Console, Effect, FileSystem, Option, Path, Schema, Stream } from "effect"
import { Command, Flag } from "effect/cli"
import { home } from "./Home.ts"
import { root } from "./Root.ts"

const Line = Schema.fromJsonString(
  Schema.StructWithRest(
    Schema.Struct({ level: Schema.String, timestamp: Schema.String, message: Schema.Unknown }),
    [Schema.Record(Schema.String, Schema.Unknown)]
  )
)
const decode = Schema.decodeUnknownOption(Line)

const plain = (text: unknown): string => (typeof text === "string" ? text : JSON.stringify(text))

/** A line of the log for people; one that is none of ours as it is. */
export const lineText = (line: string): string => {
  const read = Option.getOrUndefined(decode(line))
  if (read === undefined) return visible(line)
  const { level, message, timestamp } = read
  const parts = Array.isArray(message) ? message : [message]
  return visible(`${timestamp}  ${level.padEnd(5)}  ${parts.map(plain).join(" ")}`)
}

/** What the server wrote down, whether it runs or not. */
export const logs = Command.make(
  "logs",
  {
    lines: Flag.Int("lines").pipe(
      Flag.withAlias("n"),
      Flag.withDescription("How many of the last lines (50)"),
      Flag.withDefault(50),
      Flag.filter(
        (lines) => lines >= 0 && lines <= 100_000,
        () => "a number from 0 to 100000"
      )
    ),
    follow: Flag.Boolean("follow").pipe(
      Flag.withAlias("f"),
      Flag.withDescription("And those to come, until Ctrl-C"),
      Flag.withDefault(false)
    )
  },
  Effect.fn(function* ({ follow, lines }) {
    const { json } = yield* root
    const fs = yield* FileSystem.FileSystem
    const { join } = yield* Path.Path
    const file = join(yield* home, "logs", "server.log")
    const shown = (line: string) => Console.log(json ? line : lineText(line))
    const text = yield* Effect.orElseSucceed(fs.readFileString(file), () => "")
    if (text === "") yield* Console.error(`Nothing is written in ${file} yet.`)
    const all = text.split("\n").filter((line) => line !== "")
    yield* Effect.forEach(lines === 0 ? [] : all.slice(-lines), shown, { discard: true })
    if (!follow) return
    let read = Buffer.byteLength(text)
    let rest = ""
    yield* fs.watch(join(file, "..")).pipe(
      Stream.filter(({ path }) => path.endsWith("server.log")),
      Stream.runForEach(() =>
        Effect.gen(function* () {
          const size = Number((yield* fs.stat(file)).size)
          // It was moved aside, and begins again.
          if (size < read) read = 0
          const bytes = yield* Stream.runCollect(fs.stream(file, { offset: read }))
          for (const piece of bytes) read += piece.length
          const more = (rest + Buffer.concat([...bytes]).toString()).split("\n")
          rest = more.pop() ?? ""
          yield* Effect.forEach(more, shown, { discard: true })
        }).pipe(Effect.ignore)
      )
    )
  })
).pipe(Command.withDescription("Show what the server wrote down: its last lines, and with -f those to come"))
