import { brief } from "@rejoin/shown/Visible"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { Connection } from "./Connection.ts"
import { print, printTable } from "./Output.ts"
import { tableOf, timeOf } from "./Text.ts"

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

const browsers = Command.make(
  "browsers",
  {
    forget: Flag.String("forget").pipe(
      Flag.withDescription("Let this one in no more, until it has another link"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ forget }) {
    const client = yield* Effect.flatMap(Connection, ({ open }) => open)
    if (Option.isSome(forget)) yield* client.access.forget({ params: { id: forget.value } })
    const { items } = yield* client.access.browsers()
    yield* printTable(items, (items) =>
      items.length === 0
        ? "No browser lets itself in."
        : tableOf([
            ["BROWSER", "LAST SEEN", "PAGE", ""],
            ...items.map(({ agent, id, lastSeenAt, origin }) => [
              id,
              timeOf(lastSeenAt),
              origin,
              brief(agent, 60)
            ])
          ])
    )
  })
).pipe(
  Command.withDescription(
    "List the browsers that a link let in, and that let themselves in since; forget one"
  )
)

export const page = [printed, open, browsers] as const
