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

/** The lines behind so many bytes, without end; over a new file that takes the place of one that has grown large. */
const linesFrom = (file: string, from: number, half: string) =>
  Stream.unwrap(
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { dirname } = yield* Path.Path
      const inode = Effect.map(fs.stat(file), ({ ino }) => Option.getOrElse(ino, () => 0))
      let own = yield* inode
      let read = from
      let rest = half
      let decoder = new TextDecoder()
      const more = Effect.fnUntraced(function* (path: string) {
        const bytes = Buffer.concat([...(yield* Stream.runCollect(fs.stream(path, { offset: read })))])
        read += bytes.length
        const found = (rest + decoder.decode(bytes, { stream: true })).split("\n")
        rest = found.pop() ?? ""
        return found
      })
      return fs.watch(dirname(file)).pipe(
        Stream.mapEffect(() =>
          Effect.gen(function* () {
            const now = yield* inode
            if (now === own) return yield* more(file)
            const last = yield* more(`${file}.1`)
            own = now
            read = 0
            rest = ""
            decoder = new TextDecoder()
            return [...last, ...(yield* more(file))]
          }).pipe(Effect.orElseSucceed((): ReadonlyArray<string> => []))
        ),
        Stream.flatMap(Stream.fromIterable)
      )
    })
  )

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
    const begun = yield* Effect.orElseSucceed(fs.readFileString(file), () => "")
    if (begun === "") yield* Console.error(`Nothing is written in ${file} yet.`)
    // A last line without its end is told when it has one.
    const all = begun.split("\n")
    const half = all.pop() ?? ""
    yield* Effect.forEach(lines === 0 ? [] : all.slice(-lines), shown, { discard: true })
    // Where no server has ever worked there is nothing to wait for.
    if (!follow || !(yield* fs.exists(file))) return
    yield* Stream.runForEach(linesFrom(file, Buffer.byteLength(begun), half), shown)
  })
).pipe(Command.withDescription("Show what the server wrote down: its last lines, and with -f those to come"))
