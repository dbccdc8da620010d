import type {
  CwdNotAllowed,
  CwdUnavailable,
  DirectoryNotTrusted,
  StoreFailed
} from "@rejoin/contracts/Errors"
import { now } from "@rejoin/contracts/Time"
import type { Brought, DirectoryBrings, TrustedDirectory } from "@rejoin/contracts/Trust"
import { Context, Effect, Layer, Option } from "effect"
import type { ProviderAdapterShape } from "../providers/ProviderAdapter.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { WorkingDirectory } from "../threads/WorkingDirectory.ts"
import { covers, type Loading, loadingOf, notReadable, notTrusted } from "./Loading.ts"

/**
 * What a directory brings along for the agents (hooks, plugins, servers of tools, endpoints, permissions), and whether
 * its owner has trusted it. What is not trusted is not loaded, in whichever mode (law 4).
 */
export class RepoTrust extends Context.Service<
  RepoTrust,
  {
    /** What an agent may load of these directories, which are realpaths. Looked at anew each time. */
    readonly loading: (
      adapter: ProviderAdapterShape,
      directories: ReadonlyArray<string>
    ) => Effect.Effect<Loading, StoreFailed>
    /** For all agents that are registered. */
    readonly look: (
      path: string
    ) => Effect.Effect<DirectoryBrings, CwdNotAllowed | CwdUnavailable | StoreFailed>
    /** Trusts what is there now. Refused where that is not what `hashes` say that was looked at, or could not be looked at. */
    readonly grant: (
      path: string,
      hashes?: ReadonlyArray<string>
    ) => Effect.Effect<TrustedDirectory, CwdNotAllowed | CwdUnavailable | DirectoryNotTrusted | StoreFailed>
    /** From the next start on; live sessions there start anew with their next turn. */
    readonly revoke: (path: string) => Effect.Effect<void, StoreFailed>
    readonly list: Effect.Effect<ReadonlyArray<TrustedDirectory>, StoreFailed>
  }
>()("@rejoin/core/RepoTrust") {
  static readonly layer = Layer.effect(
    RepoTrust,
    Effect.gen(function* () {
      const store = yield* ThreadStore
      const registry = yield* ProviderRegistry
      const directories = yield* WorkingDirectory

      const loading = Effect.fn("RepoTrust.loading")(
        (adapter: ProviderAdapterShape, paths: ReadonlyArray<string>) =>
          loadingFor(adapter, paths, store.getTrusted)
      )

      const found = Effect.fnUntraced(function* (path: string) {
        const real = yield* directories.admit(path)
        const adapters = yield* registry.list
        const all = yield* Effect.forEach(adapters, (adapter) => brought(adapter, real))
        // Two instances of one agent find the same.
        const unique = new Map(all.flat().map((one) => [`${one.agent}\0${one.file}`, one]))
        return { path: real, found: [...unique.values()] }
      })

      const look = Effect.fn("RepoTrust.look")(function* (path: string) {
        const place = yield* found(path)
        const trusted = Option.getOrUndefined(yield* store.getTrusted(place.path))
        return { ...place, trusted: trusted !== undefined && covers(trusted, place.found) }
      })

      const grant = Effect.fn("RepoTrust.grant")(function* (path: string, hashes?: ReadonlyArray<string>) {
        const place = yield* found(path)
        if (hashes !== undefined && !place.found.every(({ hash }) => hashes.includes(hash))) {
          return yield* notTrusted(place)
        }
        const hidden = place.found.filter(({ hash }) => hash === "")
        if (hidden.length > 0) return yield* notReadable({ ...place, found: hidden })
        const trusted: TrustedDirectory = { ...place, trustedAt: yield* now }
        yield* store.saveTrusted(trusted)
        yield* store.durable
        return trusted
      })

      return RepoTrust.of({
        loading,
        look,
        grant,
        revoke: (path) => Effect.andThen(store.deleteTrusted(path), store.durable),
        list: store.listTrusted
      })
    })
  )
}

const brought = (adapter: ProviderAdapterShape, path: string): Effect.Effect<ReadonlyArray<Brought>> =>
  adapter.brings?.find(path) ?? Effect.succeed([])

/** What an agent may load of these directories, by what was trusted. Looked at anew each time. */
export const loadingFor = Effect.fnUntraced(function* <E>(
  adapter: ProviderAdapterShape,
  paths: ReadonlyArray<string>,
  trustedOf: (path: string) => Effect.Effect<Option.Option<TrustedDirectory>, E>
) {
  const places = yield* Effect.forEach(paths, (path) =>
    Effect.gen(function* () {
      const found = yield* brought(adapter, path)
      // Most directories bring nothing: then there is nothing to look up.
      const trusted = found.length === 0 ? Option.none() : yield* trustedOf(path)
      return { path, found, trusted: Option.getOrUndefined(trusted) }
    })
  )
  return loadingOf(places, (one) => adapter.brings?.keepsOut(one) ?? true)
})
