import { Effect } from "effect"
import { Command } from "effect/cli"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { Connection } from "./Connection.ts"
import { print } from "./Output.ts"

const issued = Effect.gen(function* () {
  const client = yield* Effect.flatMap(Connection, ({ open }) => open)
  return yield* client.access.issue()
})

/** The way into the page for one who has the token: the link lets one tab in. */
const printed = Command.make(
  "console",
  {},
  Effect.fn(function* () {
    yield* print(yield* issued, ({ link }) => link)
  })
).pipe(Command.withDescription("Print a link to the page: good once, for an hour"))

/** What opens an address in the user's browser. */
const opener = process.platform === "darwin" ? "open" : "xdg-open"

const open = Command.make(
  "open",
  {},
  Effect.fn(function* () {
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const access = yield* issued
    const { link } = access
    const code = yield* spawner
      .exitCode(
        ChildProcess.make(opener, [link], {
          extendEnv: true,
          stdin: "ignore",
          stdout: "ignore",
          stderr: "ignore"
        })
      )
      .pipe(Effect.orElseSucceed(() => 1))
    yield* print(access, () =>
      Number(code) === 0 ? "The page is open in your browser." : `No browser could be opened here: ${link}`
    )
  })
).pipe(Command.withDescription("Open the page in your browser, signed in"))

export const page = [printed, open] as const
