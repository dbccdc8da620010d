import { DataDirectoryHeld, StoreFailed } from "@rejoin/contracts/Errors"
import { ServerFileJson } from "@rejoin/contracts/ServerFile"
import { Context, Effect, FileSystem, Layer, Option, Path, Schema } from "effect"
import { DatabaseSync } from "node:sqlite"
import { keepPrivate } from "./DatabaseFile.ts"

const decodeServerFile = Schema.decodeUnknownEffect(ServerFileJson)

/**
 * Our own directory, held by one server at a time (law 5). The lock is a transaction in an SQLite file: the system
 * frees it when its holder dies, whatever kills it.
 */
export class DataDirectory extends Context.Service<
  DataDirectory,
  {
    /** Realpath. */
    readonly path: string
    readonly database: string
    readonly serverFile: string
  }
>()("@rejoin/persistence/DataDirectory") {
  static readonly layer = (directory: string) =>
    Layer.effect(
      DataDirectory,
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const { join } = yield* Path.Path
        const failed = (error: { readonly message: string }) =>
          new StoreFailed({ message: `The data directory ${directory} cannot be used: ${error.message}` })
        yield* fs.makeDirectory(directory, { recursive: true, mode: 0o700 }).pipe(Effect.mapError(failed))
        const path = yield* fs.realPath(directory).pipe(Effect.mapError(failed))
        // It may have been there before us, open to others.
        yield* fs.chmod(path, 0o700).pipe(Effect.mapError(failed))
        yield* Effect.try({
          try: () => keepPrivate(join(path, lockFile)),
          catch: (cause) => failed({ message: String(cause) })
        })
        yield* hold(path)
        // What a server that was killed said of itself is not so any more.
        yield* Effect.ignore(fs.remove(join(path, "server.json"), { force: true }))
        return DataDirectory.of({
          path,
          database: join(path, "rejoin.db"),
          serverFile: join(path, "server.json")
        })
      })
    )
}

const lockFile = "lock.db"

/** Holds the lock of a data directory, by its realpath, within the scope. */
export const hold = Effect.fn("DataDirectory.hold")(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.acquireRelease(lock(`${path}/${lockFile}`), (db) => Effect.sync(() => db.close())).pipe(
    Effect.catchTags({
      Unusable: ({ message }) =>
        Effect.fail(new StoreFailed({ message: `The data directory ${path} cannot be used: ${message}` })),
      Busy: () =>
        Effect.gen(function* () {
          const holder = yield* fs
            .readFileString(`${path}/server.json`)
            .pipe(Effect.flatMap(decodeServerFile), Effect.option)
          const { pid, url } = Option.getOrElse(holder, () => ({ pid: null, url: null }))
          const who = pid === null ? "another server" : `process ${pid} (${url})`
          return yield* new DataDirectoryHeld({
            directory: path,
            pid,
            url,
            message: `The data directory ${path} is held by ${who}.`,
            hint: "Use that server, stop it, or set REJOIN_HOME to another directory."
          })
        })
    })
  )
})

class Busy extends Schema.TaggedError<Busy>()("Busy", {}) {}
class Unusable extends Schema.TaggedError<Unusable>()("Unusable", { message: Schema.String }) {}

const lock = (filename: string) =>
  Effect.try({
    try: () => {
      const db = new DatabaseSync(filename)
      try {
        db.exec("PRAGMA journal_mode = DELETE")
        db.exec("BEGIN EXCLUSIVE")
        return db
      } catch (cause) {
        db.close()
        throw cause
      }
    },
    catch: (cause) => {
      const { errcode, message } = cause as { readonly errcode?: number; readonly message: string }
      return errcode === 5 ? new Busy() : new Unusable({ message })
    }
  })
