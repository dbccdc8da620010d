import { StoreFailed } from "@rejoin/contracts/Errors"
import { Effect, FileSystem, Path } from "effect"
import { randomUUID } from "node:crypto"

/**
 * Who this server is among others: made once, and kept in its data directory, as the agents' sessions are beside it. The
 * system's own id would not do: containers of one image share it, and a new container of an old volume has another.
 */
export const machineId = Effect.fn("machineId")(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const { join } = yield* Path.Path
  const file = join(directory, "machine")
  const failed = ({ message }: { readonly message: string }) =>
    new StoreFailed({ message: `The machine's id in ${file} cannot be used: ${message}` })
  // One that is there stays.
  yield* fs.writeFileString(file, `mac_${randomUUID()}\n`, { flag: "wx", mode: 0o600 }).pipe(
    Effect.catchIf(
      ({ reason }) => reason._tag === "AlreadyExists",
      () => Effect.void
    ),
    Effect.mapError(failed)
  )
  const id = (yield* fs.readFileString(file).pipe(Effect.mapError(failed))).trim()
  if (!/^mac_[0-9a-f-]{36}$/.test(id))
    return yield* failed({ message: "it is no id. Remove the file only if nothing ran here before." })
  return id
})
