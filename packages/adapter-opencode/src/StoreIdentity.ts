import { StoreId } from "@rejoin/contracts/Ids"
import { ProviderUnavailable } from "@rejoin/contracts/Errors"
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
 * Which data directory this is: realpath, device, inode and machine, so that two homes never pass for one and one
 * never for two. OpenCode itself does not tell, and answers a 404 alike from any (providers/opencode.md: Errors).
 */
export const storeIdOf = Effect.fnUntraced(
  function* (directory: string) {
    const fs = yield* FileSystem.FileSystem
    yield* fs.makeDirectory(directory, { recursive: true })
    const real = yield* fs.realPath(directory)
    const { dev, ino } = yield* fs.stat(real)
    return StoreId.make(`${yield* machineId}:${real}:${dev}:${Option.getOrElse(ino, () => 0)}`)
  },
  Effect.mapError(
    (error) =>
      new ProviderUnavailable({
        provider: "opencode",
        message: `OpenCode's data directory cannot be used: ${error.message}`
      })
  )
)
