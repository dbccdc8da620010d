import { NodeSocket } from "@effect/platform-node"
import { StoreFailed } from "@rejoin/contracts/Errors"
import type { Place } from "@rejoin/core/store/Ownership"
import { Effect, Layer, RcMap, Redacted } from "effect"
import { RpcClient, type RpcClientError, RpcSerialization } from "effect/rpc"
import { Socket } from "effect/socket"
import { MachineRpcs, path } from "./MachineRpcs.ts"

type Client = RpcClient.FromGroup<typeof MachineRpcs, RpcClientError.RpcClientError>

/** For how long another machine may be silent while it is waited for. */
const silence = "3 seconds"

const unreachable = (machine: string) =>
  new StoreFailed({
    message: `The machine ${machine}, which runs this thread, cannot be reached now.`,
    hint: "Another one takes the thread over when it is gone for good.",
    away: true
  })

/** A websocket that says the cluster's secret. */
const constructor = (secret: Redacted.Redacted) =>
  Layer.effect(
    Socket.WebSocketConstructor,
    Effect.map(
      Socket.WebSocketConstructor,
      (make) => (url: string) =>
        // The driver's own options; the interface names only protocols.
        make(url, { headers: { authorization: `Bearer ${Redacted.value(secret)}` } })
    )
  ).pipe(Layer.provide(NodeSocket.layerWebSocketConstructor))

/**
 * Calls to other machines, on one connection each. What is asked of one that dies or falls silent fails at once, and is not
 * asked again by us: whether it was done is not known.
 */
export const makeMachineClients = Effect.fnUntraced(function* (secret: Redacted.Redacted) {
  const clients = yield* RcMap.make({
    lookup: (url: string) =>
      Effect.gen(function* () {
        const socket = yield* Socket.makeWebSocket(`${url.replace(/^http/, "ws")}${path}`, {
          openTimeout: silence
        })
        const protocol = yield* RpcClient.makeProtocolSocket({ pingInterval: silence }).pipe(
          Effect.provideService(Socket.Socket, socket)
        )
        return yield* RpcClient.make(MachineRpcs, { disableTracing: true }).pipe(
          Effect.provideService(RpcClient.Protocol, protocol)
        )
      }).pipe(Effect.provide(Layer.merge(constructor(secret), RpcSerialization.layerNdjson))),
    idleTimeToLive: "1 minute"
  })

  return <A, E>(
    { machine, url }: Place,
    call: (client: Client) => Effect.Effect<A, E | RpcClientError.RpcClientError>
  ): Effect.Effect<A, Exclude<E, RpcClientError.RpcClientError> | StoreFailed> =>
    Effect.scoped(Effect.flatMap(RcMap.get(clients, url), call)).pipe(
      Effect.catchIf(
        (error): error is Extract<E | RpcClientError.RpcClientError, RpcClientError.RpcClientError> =>
          isClientError(error),
        (error) =>
          // A connection that has failed once is made anew.
          Effect.logWarning(`The machine ${machine} at ${url} was not reached: ${String(error)}`).pipe(
            Effect.andThen(RcMap.invalidate(clients, url)),
            Effect.andThen(Effect.fail(unreachable(machine)))
          )
      )
    ) as Effect.Effect<A, Exclude<E, RpcClientError.RpcClientError> | StoreFailed>
})

const isClientError = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "RpcClientError"
