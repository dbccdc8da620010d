import { Command, Flag } from "effect/cli"

/** `rejoin` itself: what every subcommand takes. */
export const root = Command.make("rejoin").pipe(
  Command.withSharedFlags({
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print JSON for programs: one document, or one line an event"),
      Flag.withDefault(false)
    )
  }),
  Command.withDescription("Durable conversations with coding agents")
)
