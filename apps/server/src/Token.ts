import { StoreFailed } from "@rejoin/contracts/Errors"
import { DataDirectory } from "@rejoin/persistence/DataDirectory"
import { Context, Effect, FileSystem, Layer, Option, Path, Redacted } from "effect"
import { randomBytes, timingSafeEqual } from "node:crypto"
import { Configuration } from "./Configuration.ts"

/** The bearer token of this server: from REJOIN_TOKEN, or made once and kept in a file that only its owner reads. */
export class Token extends Context.Service<
  Token,
  {
    /** Undefined where it came from the environment. */
    readonly file: string | undefined
    readonly value: Redacted.Redacted
    /** By which this run proves itself to who can read `server.json`, before it is told the token. */
    readonly proofKey: string
    /** In constant time. */
    readonly matches: (given: string) => boolean
  }
>()("@rejoin/server/Token") {
  static readonly layer = Layer.effect(
    Token,
    Effect.gen(function* () {
      const { token } = yield* Configuration
      const { path } = yield* DataDirectory
      const { join } = yield* Path.Path
      const file = Option.isSome(token) ? undefined : join(path, "token")
      const value = Option.isSome(token) ? token.value : yield* fromFile(join(path, "token"))
      const expected = Buffer.from(Redacted.value(value))
      return Token.of({
        file,
        value,
        proofKey: randomBytes(32).toString("base64url"),
        matches: (given) => {
          const actual = Buffer.from(given)
          return actual.length === expected.length && timingSafeEqual(actual, expected)
        }
      })
    })
  )
}

const fromFile = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const kept = yield* fs.readFileString(file).pipe(
    Effect.map((text) => text.trim()),
    Effect.option
  )
  if (Option.isSome(kept) && kept.value.length >= 32) {
    yield* Effect.ignore(fs.chmod(file, 0o600))
    return Redacted.make(kept.value)
  }
  const token = randomBytes(32).toString("base64url")
  yield* Effect.ignore(fs.remove(file))
  yield* fs
    .writeFileString(file, `${token}\n`, { mode: 0o600, flag: "wx" })
    .pipe(
      Effect.mapError(
        (error) => new StoreFailed({ message: `The token cannot be written: ${error.message}` })
      )
    )
  return Redacted.make(token)
})
