import { Effect, FileSystem, Redacted, Schema, Semaphore } from "effect"
import { createHash } from "node:crypto"
import { Configuration } from "./Configuration.ts"
import { Token } from "./Token.ts"

/**
 * A list that outlives us, in a file of our own that only its owner reads. Whoever makes another token empties it: nobody
 * whom the old one let in stays.
 */
export const makeKept = Effect.fnUntraced(function* <S extends Schema.Codec<unknown, unknown>>(
  name: string,
  entry: S
) {
  const fs = yield* FileSystem.FileSystem
  const { home } = yield* Configuration
  const { value } = yield* Token
  const token = createHash("sha256").update(Redacted.value(value)).digest("hex")
  const file = `${home}/${name}.json`
  const turn = yield* Semaphore.make(1)
  const File = Schema.fromJsonString(Schema.Struct({ token: Schema.String, [name]: Schema.Array(entry) }))
  const decode = Schema.decodeUnknownEffect(File)

  // One that is not there is empty, and so is one that is none of ours; one that cannot be read now is neither.
  const load = fs.readFileString(file).pipe(
    Effect.flatMap((text) =>
      decode(text).pipe(
        Effect.map((held) => (held["token"] === token ? (held[name] as ReadonlyArray<S["Type"]>) : [])),
        Effect.catch((error) =>
          Effect.as(Effect.logWarning(`${file} cannot be used, and is begun anew.`, error.message), [])
        )
      )
    ),
    Effect.catchTag("PlatformError", (error) =>
      error.reason._tag === "NotFound" ? Effect.succeed([]) : Effect.fail(error)
    )
  )
  const read: Effect.Effect<ReadonlyArray<S["Type"]>> = Effect.catch(load, ({ message }) =>
    Effect.as(Effect.logWarning(`${file} cannot be read: ${message}`), [])
  )
  const write = Effect.fnUntraced(function* (entries: ReadonlyArray<S["Type"]>) {
    const text = JSON.stringify({ token, [name]: entries })
    yield* Effect.ignore(fs.remove(`${file}.new`))
    yield* fs.writeFileString(`${file}.new`, `${text}\n`, { mode: 0o600 })
    yield* fs.rename(`${file}.new`, file)
  })
  /** One change after the other. */
  const change = (next: (entries: ReadonlyArray<S["Type"]>) => ReadonlyArray<S["Type"]>) =>
    load.pipe(
      Effect.flatMap((entries) => write(next(entries))),
      turn.withPermits(1)
    )
  return { read, change }
})
