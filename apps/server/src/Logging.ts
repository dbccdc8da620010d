import { DataDirectory } from "@rejoin/persistence/DataDirectory"
import { append } from "./LogFile.ts"
import { visible } from "@rejoin/shown/Visible"
import { Effect, FileSystem, Layer, Logger, LogLevel, Path } from "effect"

const formatted = Logger.formatLogFmt

/** What needs attention goes to the terminal, everything to `logs/server.log` as one JSON object a line. */
export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { join } = yield* Path.Path
    const { path } = yield* DataDirectory
    yield* fs.makeDirectory(join(path, "logs"), { recursive: true, mode: 0o700 })
    const file = join(path, "logs", "server.log")
    const lines = yield* Logger.batched(Logger.map(Logger.formatJson, visible), {
      window: "100 millis",
      flush: (lines) => Effect.sync(() => append(file, `${lines.join("\n")}\n`))
    })
    const terminal = Logger.make((entry) => {
      if (LogLevel.isGreaterThanOrEqualTo(entry.logLevel, "Warn"))
        process.stderr.write(`${visible(formatted.log(entry))}\n`)
    })
    return Logger.layer([lines, terminal])
  })
)
