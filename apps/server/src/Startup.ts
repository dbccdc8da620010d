import { StoreFailed } from "@rejoin/contracts/Errors"
import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { ProcessOwner } from "@rejoin/core/ProcessOwner"
import { ProviderRegistry } from "@rejoin/core/ProviderRegistry"
import { Recovery } from "@rejoin/core/Recovery"
import { ModelServer } from "@rejoin/model-server/ModelServer"
import { recall } from "@rejoin/model-server/Recall"
import { DataDirectory } from "@rejoin/persistence/DataDirectory"
import { installedProgram } from "@rejoin/providers/Programs"
import { adapterOf, type Surroundings } from "@rejoin/providers/Providers"
import { Context, Effect, Layer, Predicate, Record } from "effect"
import type { FileSystem } from "effect"
import type { ChildProcessSpawner } from "effect/process"
import { Configuration, providersOf } from "./Configuration.ts"
import { bundledBinary, defaultInstance } from "./EmbeddedOpenCode.ts"

/** Our own environment, as it was when we were started. */
export const OwnEnvironment = Context.Reference<Readonly<Record<string, string>>>(
  "@rejoin/server/OwnEnvironment",
  {
    defaultValue: () => Record.filter(process.env as Record<string, string | undefined>, Predicate.isString)
  }
)

const register = Effect.gen(function* () {
  const registry = yield* ProviderRegistry
  const configuration = yield* Configuration
  const { path } = yield* DataDirectory
  const scope = yield* Effect.scope
  const environment = yield* OwnEnvironment
  const services = yield* Effect.context<
    FileSystem.FileSystem | ChildProcessSpawner.ChildProcessSpawner | ProcessOwner
  >()
  const search = environment["PATH"] ?? ""
  const surroundings: Surroundings = {
    environment,
    opencode: yield* bundledBinary,
    codex: yield* installedProgram("codex", search),
    claude: yield* installedProgram("claude", search)
  }
  const recallUrl = Layer.buildWithScope(ModelServer.layer(recall, { keep: 1 }), scope).pipe(
    Effect.map((context) => Context.get(context, ModelServer).url),
    Effect.orDie
  )
  const instances = providersOf(configuration) ?? [
    yield* defaultInstance(path, environment, recallUrl),
    ...(["codex", "claude"] as const).map((driver) => ({ id: ProviderInstanceId.make(driver), driver }))
  ]
  for (const instance of instances) {
    const layer = yield* adapterOf(surroundings, instance)
    yield* registry.add(Layer.provide(layer, Layer.succeedContext(services)))
  }
})

/**
 * What must be over before anybody is served, in this order: orphans of earlier lives are dead, what they left half
 * done is undone or settled. The data directory is locked and the database migrated by then.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const owner = yield* ProcessOwner
    const { file } = yield* Configuration
    if (file.injectAgentNotificationHooks !== undefined)
      yield* Effect.logWarning("This version does not act on this setting yet: injectAgentNotificationHooks.")
    const recovery = yield* Recovery
    const orphans = yield* owner.sweepEarlier
    if (orphans.length > 0) yield* Effect.logInfo("Ended processes that an earlier server left.", { orphans })
    yield* register.pipe(
      Effect.catchTag("PlatformError", (error) =>
        Effect.fail(new StoreFailed({ message: `The data directory cannot be used: ${error.message}` }))
      )
    )
    const reconciled = yield* recovery.reconcile
    yield* Effect.logInfo("Reconciled.", reconciled)
    const registry = yield* ProviderRegistry
    const adapters = yield* registry.list
    const providers = yield* Effect.forEach(adapters, ({ info }) => info, { concurrency: "unbounded" })
    for (const { capabilities: _, ...told } of providers) yield* Effect.logInfo("A provider.", told)
  })
)
