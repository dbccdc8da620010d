import { InvalidInput, StoreFailed } from "@rejoin/contracts/Errors"
import { Config, DateTime, Effect, FileSystem, Option, Path } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { Connection } from "./Connection.ts"
import { fileError } from "./FileErrors.ts"
import { home } from "./Home.ts"
import { print } from "./Output.ts"

/** A copy of the database as it is at one moment, whoever writes to it meanwhile; read back before it has its name. */
const copy = (from: string, to: string) =>
  Effect.tryPromise({
    try: async () => {
      const { backup, DatabaseSync } = await import("node:sqlite")
      const source = new DatabaseSync(from, { readOnly: true, timeout: 5000 })
      try {
        await backup(source, to)
      } finally {
        source.close()
      }
      const made = new DatabaseSync(to)
      try {
        // Whole by itself, without a log beside it.
        made.exec("PRAGMA journal_mode = DELETE")
        const found = made.prepare("PRAGMA integrity_check").all()
        const told = String(found[0]?.["integrity_check"])
        if (told !== "ok") throw new Error(`the copy is damaged: ${told}`)
        return Number(made.prepare("SELECT count(*) AS threads FROM thread").get()?.["threads"])
      } finally {
        made.close()
      }
    },
    catch: (cause) =>
      new StoreFailed({
        message: `The database could not be copied: ${cause instanceof Error ? cause.message : String(cause)}.`,
        hint: "Nothing was changed. `rejoin doctor` looks at the database."
      })
  })

const elsewhere = Config.option(Config.Redacted("REJOIN_DATABASE_URL"))

/** The database, and what SQLite keeps beside it: a log that belongs to another one would damage it. */
const parts = ["rejoin.db", "rejoin.db-wal", "rejoin.db-shm"]

const goBack = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const { join, resolve } = yield* Path.Path
  const connection = yield* Connection
  const directory = yield* home
  const from = resolve(file)
  yield* Effect.mapError(fs.access(from, { readable: true }), fileError("file", from))
  const runs = yield* Effect.option(connection.process)
  if (Option.isSome(runs)) {
    return yield* new InvalidInput({
      field: "file",
      message: `A server (process ${runs.value}) works on ${directory}.`,
      hint: "rejoin serve --stop ends it."
    })
  }
  // A copy of the copy, which is read back: the file itself stays as it is.
  const draft = join(directory, "rejoin.db.restored")
  yield* Effect.ignore(fs.remove(draft))
  const threads = yield* copy(from, draft)
  const kept = `before-${DateTime.formatIso(yield* DateTime.now).replace(/[:.]/g, "-")}`
  for (const part of parts) {
    const path = join(directory, part)
    if (yield* Effect.orElseSucceed(fs.exists(path), () => false))
      yield* Effect.mapError(fs.rename(path, `${path}.${kept}`), fileError("file", path))
  }
  const place = join(directory, "rejoin.db")
  yield* Effect.mapError(fs.rename(draft, place), fileError("file", place))
  yield* print(
    { file: from, threads },
    () => `${threads} threads are here again, from ${from}. What was here is kept as rejoin.db.${kept}.`
  )
})

export const backup = Command.make(
  "backup",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("A new file; with --restore, one that was made so")
    ),
    restore: Flag.Boolean("restore").pipe(
      Flag.withDescription("Go back to it: what is there now is kept beside it"),
      Flag.withDefault(false)
    )
  },
  Effect.fn(function* ({ file, restore }) {
    if (Option.isSome(yield* Effect.orElseSucceed(elsewhere, () => Option.none()))) {
      return yield* new InvalidInput({
        field: "REJOIN_DATABASE_URL",
        message: "The threads are in PostgreSQL: rejoin backup copies the file of a data directory.",
        hint: "pg_dump copies that database, while the server runs; pg_restore brings it back."
      })
    }
    if (restore) return yield* goBack(file)
    const fs = yield* FileSystem.FileSystem
    const { join, resolve } = yield* Path.Path
    const directory = yield* home
    const source = join(directory, "rejoin.db")
    const target = resolve(file)
    const refused = (message: string) => new InvalidInput({ field: "file", message })
    if (yield* Effect.orElseSucceed(fs.exists(target), () => false))
      return yield* refused(`${target} already exists.`)
    if (!(yield* Effect.orElseSucceed(fs.exists(source), () => false)))
      return yield* refused(`There is no database in ${directory}.`)
    // For its owner alone, before anything is in it; and gone, where it does not become whole.
    const draft = `${target}.part`
    yield* fs
      .writeFileString(draft, "", { flag: "wx", mode: 0o600 })
      .pipe(Effect.mapError(fileError("file", target)))
    const threads = yield* copy(source, draft).pipe(
      Effect.tap(() => Effect.mapError(fs.rename(draft, target), fileError("file", target))),
      Effect.onError(() => Effect.ignore(fs.remove(draft)))
    )
    yield* print(
      { file: target, threads },
      () =>
        `${threads} threads are in ${target}, with our copies of their conversations. To go back: rejoin backup --restore ${file}`
    )
  })
).pipe(Command.withDescription("Copy the database into a file, while the server runs, and check the copy"))
