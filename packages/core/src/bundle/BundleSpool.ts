import { StoreFailed } from "@rejoin/contracts/Errors"
import { Context, Effect, FileSystem, Layer, type Scope, Stream } from "effect"
import { Settings } from "../Settings.ts"

/** What comes in is laid down here until it is known to be whole. Gone with its scope. */
export interface Spool {
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, StoreFailed>
  readonly read: Stream.Stream<Uint8Array, StoreFailed>
}

export class BundleSpool extends Context.Service<
  BundleSpool,
  { readonly open: Effect.Effect<Spool, StoreFailed, Scope.Scope> }
>()("@rejoin/core/BundleSpool") {
  static readonly layer = Layer.effect(
    BundleSpool,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { scratch } = yield* Settings
      const failed = <A, R>(effect: Effect.Effect<A, { readonly message: string }, R>) =>
        Effect.mapError(
          effect,
          ({ message }) => new StoreFailed({ message: `What is imported cannot be laid down: ${message}` })
        )
      const open = Effect.gen(function* () {
        if (scratch !== null) yield* failed(fs.makeDirectory(scratch, { recursive: true, mode: 0o700 }))
        const path = yield* failed(
          fs.makeTempFileScoped({ prefix: "import-", ...(scratch !== null && { directory: scratch }) })
        )
        const file = yield* failed(fs.open(path, { flag: "w", mode: 0o600 }))
        const spool: Spool = {
          write: (bytes) => failed(file.writeAll(bytes)),
          read: Stream.mapError(fs.stream(path), ({ message }) => new StoreFailed({ message }))
        }
        return spool
      })
      return BundleSpool.of({ open })
    })
  )

  /** Where there is no disk. */
  static readonly layerMemory = Layer.succeed(BundleSpool, {
    open: Effect.sync(() => {
      const parts: Array<Uint8Array> = []
      const spool: Spool = {
        write: (bytes) => Effect.sync(() => void parts.push(bytes)),
        read: Stream.suspend(() => Stream.fromArray(parts))
      }
      return spool
    })
  })
}
