import { Command, Flag } from "effect/cli"
import { talk } from "./Talk.ts"

/** `rejoin` itself: what every subcommand takes. */
export const root = Command.make("rejoin", {}, () => talk).pipe(
  Command.withSharedFlags({
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print JSON for programs: one document, or one line an event"),
      Flag.withDefault(false)
    )
  }),
  Command.withDescription("Durable conversations with coding agents")
)
