import type { Brought, TrustedDirectory } from "@rejoin/contracts/Trust"
import { InvalidInput } from "@rejoin/contracts/Errors"
import { Effect, Option, Stdio } from "effect"
import { Argument, Command, Flag, Prompt } from "effect/cli"
import { absolute } from "./Addressed.ts"
import { Connection } from "./Connection.ts"
import { print } from "./Output.ts"

const brought = (found: ReadonlyArray<Brought>) =>
  found.map(({ agent, file, what }) => `  ${file}\n    ${agent}: ${what}`).join("\n")

const trustedText = (directories: ReadonlyArray<TrustedDirectory>) =>
  directories.length === 0
    ? "No directory is trusted."
    : directories.map(({ found, path }) => `${path}\n${brought(found)}`).join("\n\n")

/** What a directory brings for the agents: shown, and trusted where somebody who has looked at it says so. */
export const trust = Command.make(
  "trust",
  {
    directory: Argument.String("directory").pipe(
      Argument.withDescription("Where it is; without one, here"),
      Argument.optional
    ),
    yes: Flag.Boolean("yes").pipe(
      Flag.withDescription("Trust what is there without being asked"),
      Flag.withDefault(false)
    ),
    list: Flag.Boolean("list").pipe(
      Flag.withDescription("Show what is trusted, instead"),
      Flag.withDefault(false)
    ),
    revoke: Flag.Boolean("revoke").pipe(
      Flag.withDescription("Trust it no longer, instead"),
      Flag.withDefault(false)
    )
  },
  Effect.fn(function* ({ directory, list, revoke, yes }) {
    const { directories } = yield* Effect.flatMap(Connection, ({ open }) => open)
    if (list) {
      const { items } = yield* directories.trusted()
      return yield* print(items, trustedText)
    }
    const path = yield* absolute(Option.getOrElse(directory, () => "."))
    if (revoke) {
      yield* directories.distrust({ query: { path } })
      return yield* print({ path }, () => `${path} is not trusted any more.`)
    }
    const brings = yield* directories.brings({ query: { path } })
    if (brings.found.length === 0 || brings.trusted) {
      return yield* print(brings, ({ found }) =>
        found.length === 0
          ? `${path} brings nothing that an agent would have to be trusted with.`
          : `${path} is trusted:\n${brought(found)}`
      )
    }
    const stdio = yield* Stdio.Stdio
    const asks = (yield* stdio.stdinIsTerminal) && (yield* stdio.stdoutIsTerminal)
    if (!yes) {
      yield* print(brings, ({ found }) => `${path} brings this, which is not loaded:\n${brought(found)}`)
      if (!asks) {
        return yield* new InvalidInput({
          field: "yes",
          message: "Nothing was trusted.",
          hint: "Look at it, then: rejoin trust --yes"
        })
      }
      if (
        !(yield* Prompt.run(Prompt.Confirm({ message: "You have looked at it: trust it?", initial: false })))
      )
        return
    }
    const hashes = brings.found.map(({ hash }) => hash)
    const trusted = yield* directories.trust({ payload: { path, hashes } })
    yield* print(
      trusted,
      ({ path }) => `${path} is trusted from the next turn on. A change of it is asked about again.`
    )
  })
).pipe(Command.withDescription("Let agents load what a directory brings: hooks, plugins, servers of tools"))
