import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { Console, Effect, Logger, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { Readable, Writable } from "node:stream"
import { visible } from "@rejoin/shown/Visible"

/** What this process has to say goes where nobody takes it for the protocol. */
const toStandardError = Logger.layer([
  Logger.make((entry) => {
    process.stderr.write(`${visible(Logger.formatLogFmt.log(entry))}\n`)
  })
])

const flags = {
  provider: Flag.String("provider").pipe(
    Flag.withAlias("p"),
    Flag.withDescription("The agent of new threads; without it, the first that is ready"),
    Flag.optional
  ),
  mode: Flag.Literals("mode", RuntimeMode.literals).pipe(
    Flag.withAlias("m"),
    Flag.withDescription("What the agent of a new thread may do without asking you"),
    Flag.optional
  ),
  model: Flag.String("model").pipe(Flag.withDescription("The model of new threads"), Flag.optional),
  maxMode: Flag.Literals("max-mode", RuntimeMode.literals).pipe(
    Flag.withDescription("The most that anything that is said from the editor may do"),
    Flag.optional
  )
}

export const acp = Command.make(
  "acp",
  flags,
  Effect.fn(function* ({ maxMode, ...chosen }) {
    // Only this command needs the protocol's own library.
    const { ndJsonStream, serveAcp } = yield* Effect.promise(() => import("./AcpServer.ts"))
    const input = Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>
    const output = Writable.toWeb(process.stdout) as WritableStream<Uint8Array>
    yield* serveAcp(ndJsonStream(output, input), {
      ...chosen,
      ceiling: Option.getOrElse(maxMode, () => "full-access" as const),
      note: (text) => Console.error(visible(text))
    })
  }, Effect.provide(toStandardError))
).pipe(
  Command.withDescription("Serve an editor over the Agent Client Protocol, on standard input and output"),
  Command.withExamples([
    { command: "rejoin acp", description: "What an editor is told to run as its agent" },
    {
      command: "rejoin acp -p codex --max-mode approval-required",
      description: "With one agent, and a ceiling"
    }
  ])
)
