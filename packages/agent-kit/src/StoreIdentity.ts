import { StoreId } from "@rejoin/contracts/Ids"
import { Effect, FileSystem, Option } from "effect"
import { hostname } from "node:os"

/** The machine's own id, where the system has one: two machines may have one directory at one path. */
const machineId = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const id = yield* fs.readFileString("/etc/machine-id").pipe(
    Effect.map((text) => text.trim()),
    Effect.option
  )
  return Option.getOrElse(
    Option.filter(id, (text) => text !== ""),
    hostname
  )
})

/**
 * Which data directory this is: machine, realpath and inode, so that two homes never pass for one. The device's
 * number is left out: on btrfs, overlays and network file systems it is another one after each mount.
 */
export const storeIdOf = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const found = yield* fs.realPath(directory).pipe(
    Effect.flatMap((real) =>
      Effect.map(fs.stat(real), ({ ino }) => `${real}:${Option.getOrElse(ino, () => 0)}`)
    ),
    // Not there yet, or no more: another one than any that was.
    Effect.orElseSucceed(() => `${directory}:missing`)
  )
  return StoreId.make(`${yield* machineId}:${found}`)
})
