import { Effect } from "effect"
import { Command } from "effect/cli"
import { Connection } from "./Connection.ts"
import { print } from "./Output.ts"

/** The way into the page for one who has the token: the link lets one tab in. */
export const page = Command.make(
  "console",
  {},
  Effect.fn(function* () {
    const client = yield* Effect.flatMap(Connection, ({ open }) => open)
    yield* print(yield* client.access.issue(), ({ link }) => link)
  })
).pipe(Command.withDescription("Print a link to the page: good once, for an hour"))
