import { ProviderTimeout } from "@rejoin/contracts/Errors"
import { Context, Duration, Effect, Layer } from "effect"
import type { ProviderAdapterShape } from "./ProviderAdapter.ts"
import { Settings } from "../Settings.ts"

/** Bounds every wait for a provider: a hung one becomes a ProviderTimeout that names the operation. */
export class ProviderCall extends Context.Service<
  ProviderCall,
  {
    readonly within: <A, E, R>(
      adapter: Pick<ProviderAdapterShape, "id">,
      operation: string,
      call: Effect.Effect<A, E, R>,
      limit?: Duration.Duration
    ) => Effect.Effect<A, E | ProviderTimeout, R>
  }
>()("@rejoin/core/ProviderCall") {
  static readonly layer = Layer.effect(
    ProviderCall,
    Effect.map(Settings, (settings) =>
      ProviderCall.of({
        within: (adapter, operation, call, limit = settings.callTimeout) =>
          Effect.timeoutOrElse(call, {
            duration: limit,
            orElse: () =>
              Effect.fail(
                new ProviderTimeout({
                  provider: adapter.id,
                  operation,
                  millis: Duration.toMillis(limit),
                  message: `The provider did not answer within ${Duration.format(limit)} (${operation}).`
                })
              )
          })
      })
    )
  )
}
