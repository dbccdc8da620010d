import { Effect, Layer, Redacted } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { RpcSerialization, RpcServer } from "effect/rpc"
import { timingSafeEqual } from "node:crypto"
import { MachineRpcs, path } from "./MachineRpcs.ts"
import { LocalServices } from "./RoutedServices.ts"

const handlers = MachineRpcs.toLayer(
  Effect.gen(function* () {
    const local = yield* LocalServices
    if (local === undefined) return yield* Effect.die("There are no other machines that could ask.")
    const { service, threads } = local
    return MachineRpcs.of({
      send: ({ from, id, turn }) => service.send(id, turn, from),
      interrupt: ({ id }) => service.interrupt(id),
      interruptTurn: ({ id, turnId }) => service.interruptTurn(id, turnId),
      answer: ({ answer, id, requestId }) => service.answer(id, requestId, answer),
      start: ({ id }) => service.start(id),
      stop: ({ id }) => service.stop(id),
      reset: ({ id }) => service.reset(id),
      move: ({ cwd, id }) => service.move(id, cwd),
      fork: ({ id, to: { cwd, model, provider, turnId } }) =>
        service.fork(id, {
          turnId,
          ...(provider && { provider }),
          ...(model && { model }),
          ...(cwd && { cwd })
        }),
      release: ({ flags, id }) => service.release(id, flags),
      claim: ({ id }) => service.claim(id),
      acceptHistory: ({ id }) => service.acceptHistory(id),
      restore: ({ id }) => service.restore(id),
      handOver: ({ id, to }) => service.handOver(id, to),
      update: ({ change, id }) => service.update(id, change),
      remove: ({ id, unused }) => threads.remove(id, unused ? { unused } : undefined),
      get: ({ id }) => threads.get(id),
      items: ({ id, ...page }) => threads.items(id, page),
      snapshot: ({ id, items }) => threads.snapshot(id, items)
    })
  })
)

/** In constant time. */
const isSame = (given: string, wanted: string) => {
  const [one, other] = [Buffer.from(given), Buffer.from(wanted)]
  return one.length === other.length && timingSafeEqual(one, other)
}

/** Who does not know the secret is told so before a word of the protocol is read. */
const guard = (secret: Redacted.Redacted) =>
  HttpRouter.middleware(
    Effect.succeed((handler) =>
      Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
        isSame(headers["authorization"] ?? "", `Bearer ${Redacted.value(secret)}`)
          ? handler
          : Effect.succeed(
              HttpServerResponse.jsonUnsafe(
                { _tag: "Unauthorized", message: "Only machines of this cluster are answered here." },
                { status: 401 }
              )
            )
      )
    )
  )

/** Answers the other machines for the threads that are run here, by a websocket on our own port, behind the cluster's secret. */
export const layer = (secret: Redacted.Redacted) =>
  RpcServer.layer(MachineRpcs, { disableFatalDefects: true, disableTracing: true }).pipe(
    Layer.provide(handlers),
    Layer.provide(Layer.provide(RpcServer.layerProtocolWebsocket({ path }), guard(secret).layer)),
    Layer.provide(RpcSerialization.layerNdjson)
  )
