import { NodeHttpServer } from "@effect/platform-node"
import { Api } from "@rejoin/contracts/Api"
import { InvalidInput } from "@rejoin/contracts/Errors"
import * as Core from "@rejoin/core/Core"
import { Draining } from "@rejoin/core/life/Draining"
import { Settings } from "@rejoin/core/Settings"
import * as Database from "@rejoin/persistence/Database"
import { WorkingDirectory } from "@rejoin/core/threads/WorkingDirectory"
import { DataDirectory } from "@rejoin/persistence/DataDirectory"
import * as SqlThreadStore from "@rejoin/persistence/SqlThreadStore"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { machineId } from "@rejoin/persistence/MachineId"
import { TurnDispatcher } from "@rejoin/core/turns/TurnDispatcher"
import { Duration, Effect, FileSystem, Layer, Option } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { AccessCodes } from "./AccessCodes.ts"
import { Browsers } from "./Browsers.ts"
import * as ChatChannels from "./ChatChannels.ts"
import * as Console from "./Console.ts"
import { Configuration, settingsOf } from "./Configuration.ts"
import { Devices } from "./Devices.ts"
import { KeyProof } from "./KeyProof.ts"
import { Push } from "./Push.ts"
import { PushDelivery } from "./PushDelivery.ts"
import { Secure } from "./Secure.ts"
import { Directories } from "./Directories.ts"
import * as Webhook from "./Webhook.ts"
import { WorkingTrees } from "./WorkingTrees.ts"
import { EventStream } from "./EventStream.ts"
import * as Guard from "./Guard.ts"
import * as Handlers from "./Handlers.ts"
import * as Logging from "./Logging.ts"
import { ownerOf } from "@rejoin/agent-kit/Owner"
import * as Reference from "./Reference.ts"
import * as Startup from "./Startup.ts"
import { version } from "./version.ts"
import { Token } from "./Token.ts"
import { hostname } from "node:os"

const dataDirectory = Layer.unwrap(Effect.map(Configuration, ({ home }) => DataDirectory.layer(home)))

const settings = Layer.unwrap(
  Effect.gen(function* () {
    const { path } = yield* DataDirectory
    return Layer.succeed(Settings, settingsOf(yield* Configuration, path))
  })
)

/**
 * The threads in our data directory, or in the PostgreSQL that was named. Its driver is loaded only there. A directory whose
 * threads were there once is not begun anew without it: they would seem to be gone.
 */
export const store = Layer.unwrap(
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const { database: file, path } = yield* DataDirectory
    const { cluster, database: named } = yield* Configuration
    const note = `${path}/postgres`
    if (Option.isNone(named)) {
      if (yield* Effect.orElseSucceed(fs.exists(note), () => false)) {
        return yield* new InvalidInput({
          field: "REJOIN_DATABASE_URL",
          message:
            "The threads of this data directory are in PostgreSQL, and REJOIN_DATABASE_URL does not say where.",
          hint: `Set it, also where the command starts the server; or remove ${note} to begin with a file.`
        })
      }
      return Layer.provideMerge(SqlThreadStore.layer, Database.layer(file))
    }
    yield* Effect.ignore(fs.writeFileString(note, "The threads are where REJOIN_DATABASE_URL says.\n"))
    const Postgres = yield* Effect.promise(() => import("@rejoin/persistence/Postgres"))
    const url = named.value
    const id = yield* machineId(path)
    const database = Option.isNone(cluster)
      ? Postgres.layerAlone({ url, machine: id })
      : Postgres.layer({ url, machine: { id, name: hostname(), version } })
    return Layer.provideMerge(SqlThreadStore.layer, database)
  })
)

const owner = Layer.unwrap(Effect.map(DataDirectory, ({ path }) => ownerOf(path)))

/** Among several servers what is asked of a thread is asked of the one that runs it. */
const routing = Layer.unwrap(
  Effect.gen(function* () {
    const { cluster } = yield* Configuration
    if (Option.isNone(cluster)) return Layer.empty
    const Routed = yield* Effect.promise(() => import("@rejoin/cluster/RoutedServices"))
    return Routed.layer(cluster.value.secret)
  })
)

/** Everything but the network, on a store and a core. */
const services = (on: { readonly store: typeof store; readonly core: typeof Core.layer }) =>
  routing.pipe(
    Layer.provideMerge(Startup.layer),
    Layer.provideMerge(on.core),
    Layer.provideMerge(Layer.mergeAll(on.store, owner, settings, Token.layer)),
    Layer.provideMerge(dataDirectory),
    Layer.provideMerge(Configuration.layer)
  )

const api = HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(
  Layer.provide(Handlers.layer),
  Layer.provide(Layer.mergeAll(Guard.layerAuthorization, Guard.layerSchemaErrors, Guard.layerStoreAway))
)

const routes = Layer.mergeAll(
  api,
  ChatChannels.hooks,
  Guard.layerNowhere,
  Console.layer,
  Reference.layer
).pipe(Layer.provide(Guard.layerOriginGuard))

/** The door for the other servers, who have another secret and other names than users have. */
const machines = Layer.unwrap(
  Effect.gen(function* () {
    const { cluster } = yield* Configuration
    if (Option.isNone(cluster)) return Layer.empty
    const MachineServer = yield* Effect.promise(() => import("@rejoin/cluster/MachineServer"))
    return MachineServer.layer(cluster.value.secret)
  })
)

const network = Layer.unwrap(
  Effect.gen(function* () {
    const { host, port } = yield* Configuration
    const { plain } = yield* Secure
    return NodeHttpServer.layer(() => plain, { host, port, gracefulShutdownTimeout: "500 millis" })
  })
)

/** Open streams are ended first of all: a server that stops does not wait for its readers. */
const endStreams = Layer.effectDiscard(
  Effect.flatMap(EventStream, ({ close }) => Effect.addFinalizer(() => close))
)

const directories = Layer.provide(Layer.merge(Directories.layer, WorkingTrees.layer), WorkingDirectory.layer)

/** The network in front of the core's services. */
export const http = endStreams.pipe(
  Layer.provideMerge(
    HttpRouter.serve(Layer.merge(routes, machines), {
      disableLogger: true,
      disableListenLog: true,
      // Whether an id is too long is said as for any other that is nobody's.
      routerConfig: { maxParamLength: 8192 }
    })
  ),
  Layer.provideMerge(network),
  Layer.provideMerge(
    Layer.mergeAll(
      EventStream.layer,
      AccessCodes.layer,
      Browsers.layer,
      ChatChannels.ChatChannels.layer,
      Layer.provide(Push.layer, PushDelivery.layer),
      KeyProof.layer,
      directories
    )
  ),
  Layer.provideMerge(Layer.merge(Devices.layer, Secure.layer))
)

/** The other servers are told where this one is reached, as soon as it is. */
const announce = Effect.gen(function* () {
  const { cluster, host } = yield* Configuration
  const { ownership } = yield* ThreadStore
  if (Option.isNone(cluster)) return
  const { address } = yield* HttpServer.HttpServer
  const port = "port" in address ? address.port : 0
  yield* ownership.announce(Option.getOrElse(cluster.value.url, () => `http://${host}:${port}`))
})

/** Turns begin when it listens, and no more from the first moment of its end on. */
const serving = Layer.effectDiscard(
  Effect.gen(function* () {
    const { resume } = yield* TurnDispatcher
    const { drain } = yield* Draining
    const { cluster, file } = yield* Configuration
    // One server alone is waited for by whoever stops it: others run what is sent meanwhile.
    const patience = file.timeouts?.drainSeconds ?? (Option.isSome(cluster) ? 20 : 0)
    yield* Effect.addFinalizer(() => drain(Duration.seconds(patience)))
    yield* (yield* Secure).serve
    yield* announce
    yield* resume
  })
)

/** The server on another store or core than its own: for those who want to stand between. */
export const layerOn = (on: Parameters<typeof services>[0]) =>
  Layer.mergeAll(serving, Webhook.layer, ChatChannels.running).pipe(
    Layer.provideMerge(http),
    Layer.provideMerge(services(on)),
    // What stands on the server writes into the same log.
    Layer.provideMerge(Layer.provide(Logging.layer, Layer.provide(dataDirectory, Configuration.layer)))
  )

/** The server as a layer: built when it listens, closed when nothing of it is left. */
export const layer = layerOn({ store, core: Core.layer })
