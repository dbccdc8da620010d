import { ProviderNotFound } from "@rejoin/contracts/Errors"
import type { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { ProviderAdapter, type ProviderAdapterShape } from "./ProviderAdapter.ts"

/**
 * The provider instances, which can change while threads live on them (C36). A thread whose instance is gone gets
 * ProviderNotFound and keeps its binding.
 */
export class ProviderRegistry extends Context.Service<
  ProviderRegistry,
  {
    readonly get: (id: ProviderInstanceId) => Effect.Effect<ProviderAdapterShape, ProviderNotFound>
    readonly list: Effect.Effect<ReadonlyArray<ProviderAdapterShape>>
    /** Builds the adapter and registers it under its id. One that was there before is replaced and closed. */
    readonly add: (adapter: Layer.Layer<ProviderAdapter>) => Effect.Effect<ProviderAdapterShape>
    readonly remove: (id: ProviderInstanceId) => Effect.Effect<void>
  }
>()("@rejoin/core/ProviderRegistry") {
  static readonly layer = Layer.effect(
    ProviderRegistry,
    Effect.gen(function* () {
      const scope = yield* Effect.scope
      const entries = new Map<
        ProviderInstanceId,
        { readonly adapter: ProviderAdapterShape; readonly scope: Scope.Closeable }
      >()

      const remove = Effect.fnUntraced(function* (id: ProviderInstanceId) {
        const entry = entries.get(id)
        if (entry === undefined) return
        entries.delete(id)
        yield* Scope.close(entry.scope, Exit.void)
      })

      return ProviderRegistry.of({
        get: (id) =>
          Effect.suspend(() => {
            const entry = entries.get(id)
            return entry === undefined
              ? Effect.fail(
                  new ProviderNotFound({
                    provider: id,
                    message: `There is no provider instance ${id}.`,
                    hint: "GET /api/providers lists those that are configured."
                  })
                )
              : Effect.succeed(entry.adapter)
          }),
        list: Effect.sync(() => [...entries.values()].map(({ adapter }) => adapter)),
        add: Effect.fnUntraced(function* (layer) {
          const own = yield* Scope.fork(scope)
          const context = yield* Layer.buildWithScope(layer, own)
          const adapter = Context.get(context, ProviderAdapter)
          yield* remove(adapter.id)
          entries.set(adapter.id, { adapter, scope: own })
          return adapter
        }, Effect.uninterruptible),
        remove
      })
    })
  )
}
