import { StoreFailed } from "@rejoin/contracts/Errors"
import { Context, Effect } from "effect"
import { chmodSync, closeSync, openSync, statSync } from "node:fs"
import { makeDurability } from "./Durability.ts"

/**
 * Whether the file that is written is still the one that lies there. A system lets it be deleted or replaced under
 * us, and takes every write all the same, into a file that nobody will ever open again: what was accepted would be
 * lost with the process (law 6).
 */
export const DatabaseFile = Context.Reference<{
  /** In each transaction. By what it returns the database is asked later what became of it, where that can be. */
  readonly check: Effect.Effect<string | undefined, StoreFailed>
  /** What was committed before is on the disk when it returns. */
  readonly durable: Effect.Effect<void, StoreFailed>
}>("@rejoin/persistence/DatabaseFile", {
  defaultValue: () => ({ check: Effect.undefined, durable: Effect.void })
})

/**
 * Makes the file where there is none, for its owner alone: SQLite makes it for everybody that the umask lets, and the
 * files beside it (its log) like it.
 */
export const keepPrivate = (filename: string): void => {
  if (filename === ":memory:") return
  closeSync(openSync(filename, "a", 0o600))
  chmodSync(filename, 0o600)
}

const identityOf = (filename: string): string | undefined => {
  const found = statSync(filename, { throwIfNoEntry: false })
  return found && `${found.dev}:${found.ino}`
}

/** For a file that was just opened. One in memory has no file to lose. */
export const databaseFile = (filename: string) => {
  const opened = filename === ":memory:" ? undefined : identityOf(filename)
  return DatabaseFile.of({
    durable: makeDurability(filename),
    check: Effect.suspend(() =>
      opened === undefined || identityOf(filename) === opened
        ? Effect.undefined
        : Effect.fail(
            new StoreFailed({
              message: `The database ${filename} was deleted or replaced while it was in use: nothing more is accepted.`,
              hint: "Put it back, or stop the server and restore it from a copy."
            })
          )
    )
  })
}
