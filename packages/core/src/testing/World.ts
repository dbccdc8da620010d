import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Turn } from "@rejoin/contracts/Turn"
import { Context, Effect, Layer } from "effect"
import * as Core from "../Core.ts"
import { layerMemory } from "../MemoryThreadStore.ts"
import { ProviderRegistry } from "../ProviderRegistry.ts"
import { ProviderService } from "../ProviderService.ts"
import { Recovery } from "../Recovery.ts"
import { defaults, Settings, type SettingsShape } from "../Settings.ts"
import { Threads } from "../Threads.ts"
import { ThreadStore } from "../ThreadStore.ts"
import { WorkingDirectory } from "../WorkingDirectory.ts"
import { layerInMemoryAdapter } from "./InMemoryAdapter.ts"
import { InMemoryUpstream } from "./InMemoryUpstream.ts"

/**
 * A database and an upstream that outlive our process, for tests of what a restart must keep. Each `life` is one
 * run of the server: it builds the core, reconciles, runs the body, and closes everything again.
 */
export const makeWorld = Effect.fnUntraced(function* (settings: Partial<SettingsShape> = {}) {
  const upstream = new InMemoryUpstream()
  const store = Context.get(yield* Layer.build(layerMemory), ThreadStore)
  const layer = Core.layerManual.pipe(
    Layer.provide(WorkingDirectory.layerAnything),
    Layer.provide(Layer.succeed(Settings, { ...defaults, ...settings })),
    Layer.provideMerge(Layer.succeed(ThreadStore, store))
  )
  const life = <A, E, R>(body: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const registry = yield* ProviderRegistry
      yield* registry.add(layerInMemoryAdapter(upstream))
      const recovery = yield* Recovery
      yield* recovery.reconcile
      return yield* body
    }).pipe(Effect.provide(layer))
  return { upstream, store, life }
})

export const memory = ProviderInstanceId.make("memory")

/** A new thread on the in-memory provider. */
export const openThread = Effect.fnUntraced(function* (
  options: { readonly cwd?: string; readonly runtimeMode?: RuntimeMode } = {}
) {
  const threads = yield* Threads
  const { thread } = yield* threads.create({ provider: memory, cwd: "/work", ...options })
  return thread.id
})

/** Sends, waits until the turn is settled, and returns it. */
export const say = Effect.fnUntraced(function* (threadId: Turn["threadId"], input: string) {
  const service = yield* ProviderService
  const accepted = yield* service.send(threadId, { input })
  return yield* service.awaitSettled(threadId, accepted.id)
})
