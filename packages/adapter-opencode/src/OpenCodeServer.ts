import { ProviderUnavailable } from "@rejoin/contracts/Errors"
import { Deferred, Effect, FileSystem, Schema, type Scope } from "effect"
import { makeBus, type OpenCodeBus } from "./OpenCodeBus.ts"
import { OpenCodeClient } from "./OpenCodeClient.ts"
import { makeDirectories } from "./OpenCodeDirectories.ts"
import type { ServerOptions } from "./OpenCodeOptions.ts"
import { spawnServer } from "./OpenCodeProcess.ts"

/** A running OpenCode server. */
export interface OpenCodeServer extends OpenCodeBus {
  readonly client: OpenCodeClient
  readonly version: string
  /** Keeps the server's instance for a directory alive within the scope, and warm for a while after it. */
  readonly use: (directory: string) => Effect.Effect<void, never, Scope.Scope>
  /** It did not answer in time. One that does not answer whether it is well either is ended, and replaced. */
  readonly suspect: Effect.Effect<void>
  /** Done with the reason when the server or its stream of events is gone, and all that it started with it. */
  readonly gone: Deferred.Deferred<string>
}

/** The versions whose behaviour was measured: the API of 2.x is another one. */
export const supported = "1.18 and later 1.x"

export const isSupported = (version: string): boolean => {
  const [major, minor] = version.split(".").map(Number)
  return major === 1 && minor !== undefined && minor >= 18
}

const Health = Schema.Struct({ healthy: Schema.Boolean, version: Schema.String })

/** Starts a server, or connects to one, in the scope that ends it. Returns when its events are subscribed. */
export const startServer = Effect.fn("OpenCodeServer.start")(function* (options: ServerOptions) {
  const lost = yield* Deferred.make<string>()
  const gone = yield* Deferred.make<string>()
  const spawned = options.url === undefined ? yield* spawnServer(options, lost) : undefined
  // Gone is gone with all that it started: nothing resumes while a tool of a dead server still works (law 9).
  yield* Deferred.await(lost).pipe(
    Effect.tap(() => spawned?.end ?? Effect.void),
    Effect.flatMap((reason) => Deferred.succeed(gone, reason)),
    Effect.forkScoped
  )
  const client = new OpenCodeClient(
    options.provider,
    spawned ?? { url: options.url ?? "", password: options.password }
  )
  const { version } = yield* client.read("health", Health, (sdk, signal) => sdk.global.health({ signal }))
  if (!isSupported(version)) {
    return yield* new ProviderUnavailable({
      provider: options.provider,
      message: `OpenCode ${version} is not supported: this adapter knows ${supported}.`
    })
  }
  const { listen } = yield* makeBus(client, lost)

  const { use } = makeDirectories(yield* FileSystem.FileSystem, (directory) =>
    spawned === undefined || Deferred.isDoneUnsafe(gone)
      ? Effect.void
      : client
          .run("dispose", (sdk, signal) => sdk.instance.dispose({ directory }, { signal }))
          .pipe(Effect.timeout("2 seconds"), Effect.ignore)
  )
  const suspect = client
    .read("health", Health, (sdk, signal) => sdk.global.health({ signal }))
    .pipe(
      Effect.timeout("10 seconds"),
      Effect.catch(() => Deferred.succeed(lost, "it does not answer")),
      Effect.asVoid
    )
  const server: OpenCodeServer = {
    suspect: Effect.asVoid(Effect.forkIn(suspect, yield* Effect.scope)),
    client,
    version,
    listen,
    gone,
    use
  }
  return server
})
