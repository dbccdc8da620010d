import { NodeServices } from "@effect/platform-node"
import { ownerOf } from "@rejoin/agent-kit/Owner"
import { ProcessOwner } from "@rejoin/agent-kit/ProcessOwner"
import type { ProviderConfig } from "@rejoin/contracts/Config"
import type { DataDirectoryHeld, InvalidInput, StoreFailed } from "@rejoin/contracts/Errors"
import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import * as Core from "@rejoin/core/Core"
import { Recovery } from "@rejoin/core/life/Recovery"
import { ProviderRegistry } from "@rejoin/core/providers/ProviderRegistry"
import { defaults, Settings, type SettingsShape } from "@rejoin/core/Settings"
import * as Database from "@rejoin/persistence/Database"
import { DataDirectory } from "@rejoin/persistence/DataDirectory"
import * as SqlThreadStore from "@rejoin/persistence/SqlThreadStore"
import { installedProgram } from "@rejoin/providers/Programs"
import { adapterOf } from "@rejoin/providers/Providers"
import { Effect, type FileSystem, Layer } from "effect"
import type { ChildProcessSpawner } from "effect/process"

export interface RejoinOptions {
  /** A directory of this program alone: the database, and a lock while it runs. Made where it is not there. */
  readonly home: string
  /** The agents, as `config.json` has them: an id and a driver at least. Their programs are looked for on the PATH. */
  readonly providers: ReadonlyArray<Omit<ProviderConfig, "id"> & { readonly id: string }>
  /** What differs from the defaults: time-outs, the reaper, `onLost`. */
  readonly settings?: Partial<SettingsShape>
  /** What agents inherit; the environment of this process, unless another is given. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Orphans of an earlier life are ended, what it left half done is undone or settled, and only then anything begins. */
const begin = ({ environment, providers }: RejoinOptions) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const owner = yield* ProcessOwner
      const registry = yield* ProviderRegistry
      const recovery = yield* Recovery
      const { path } = yield* DataDirectory
      const services = yield* Effect.context<
        FileSystem.FileSystem | ChildProcessSpawner.ChildProcessSpawner | ProcessOwner
      >()
      const own = environment ?? inherited
      const search = own["PATH"] ?? ""
      yield* owner.sweepEarlier
      const surroundings = {
        environment: own,
        opencode: undefined,
        dataDirectory: path,
        codex: yield* installedProgram("codex", search),
        claude: yield* installedProgram("claude", search)
      }
      for (const provider of providers) {
        const instance = { ...provider, id: ProviderInstanceId.make(provider.id) }
        const adapter = yield* adapterOf(surroundings, instance)
        yield* registry.add(Layer.provide(adapter, Layer.succeedContext(services)))
      }
      yield* recovery.reconcile
    })
  )

const inherited: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
)

/**
 * Everything that a program needs to have durable conversations with real agents: ProviderService, Threads and ThreadEvents
 * on SQLite in `home`. One process has a home at a time (DataDirectoryHeld). When the scope closes, the agents end with it.
 */
export const layer = (
  options: RejoinOptions
): Layer.Layer<Core.Core, StoreFailed | DataDirectoryHeld | InvalidInput> => {
  const inHome = Layer.unwrap(
    Effect.map(DataDirectory, ({ database, path }) =>
      Layer.mergeAll(
        Layer.provide(SqlThreadStore.layer, Database.layer(database)),
        ownerOf(path),
        Layer.succeed(Settings, {
          ...defaults,
          forbidden: [path],
          scratch: `${path}/scratch`,
          ...options.settings
        })
      )
    )
  )
  return begin(options).pipe(
    Layer.provideMerge(Core.layer),
    Layer.provide(inHome),
    Layer.provide(DataDirectory.layer(options.home)),
    Layer.provide(NodeServices.layer)
  )
}
