import type { StoreFailed } from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { ProviderService } from "@rejoin/core/ProviderService"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { Threads } from "@rejoin/core/threads/Threads"
import { Context, Effect, Layer, Option, type Redacted } from "effect"
import { makeMachineClients } from "./MachineClients.ts"

type Clients = Effect.Success<ReturnType<typeof makeMachineClients>>
type Client = Parameters<Parameters<Clients>[1]>[0]

/** The core's own services, for what another machine asks of this one: that is never sent on. Absent where there is no other. */
export const LocalServices = Context.Reference<
  { readonly service: ProviderService["Service"]; readonly threads: Threads["Service"] } | undefined
>("@rejoin/cluster/LocalServices", { defaultValue: () => undefined })

/**
 * The same services as the core's, for any thread of the cluster: what only the machine can do that runs it is done there,
 * and nobody who uses them needs to know. What stands in the database is read here.
 */
export const layer = (secret: Redacted.Redacted) =>
  Layer.effectContext(
    Effect.gen(function* () {
      const { ownership } = yield* ThreadStore
      const service = yield* ProviderService
      const threads = yield* Threads
      const on = yield* makeMachineClients(secret)

      /** Where it is run by now: here, or by the machine that has it. */
      const routed = <A, E>(
        id: ThreadId,
        here: Effect.Effect<A, E>,
        there: (client: Client) => Effect.Effect<A, unknown>
      ): Effect.Effect<A, E | StoreFailed> =>
        Effect.gen(function* () {
          const place = yield* ownership.placeOf(id)
          if (Option.isNone(place)) return yield* here
          // It runs the very same operation, and fails as that does.
          return yield* on(place.value, there as (client: Client) => Effect.Effect<A, E>)
        })

      /** What is to be seen of a thread: without its machine, what stands in the database. */
      const seen = <A, E>(
        id: ThreadId,
        here: Effect.Effect<A, E>,
        there: (client: Client) => Effect.Effect<A, unknown>
      ) =>
        Effect.catchIf(
          routed(id, here, there),
          (error) => isAway(error),
          () => here
        )

      return Context.make(ProviderService, {
        ...service,
        // What waits for its turn is in the database, and whoever runs it hears of it.
        send: (id, turn, from) =>
          turn.delivery === "steer"
            ? routed(id, service.send(id, turn, from), (client) => client.send({ id, turn, from }))
            : service.send(id, turn, from),
        interrupt: (id) => routed(id, service.interrupt(id), (client) => client.interrupt({ id })),
        interruptTurn: (id, turnId) =>
          routed(id, service.interruptTurn(id, turnId), (client) => client.interruptTurn({ id, turnId })),
        answer: (id, requestId, answer) =>
          routed(id, service.answer(id, requestId, answer), (client) =>
            client.answer({ id, requestId, answer })
          ),
        start: (id) => routed(id, service.start(id), (client) => client.start({ id })),
        stop: (id) => routed(id, service.stop(id), (client) => client.stop({ id })),
        reset: (id) => routed(id, service.reset(id), (client) => client.reset({ id })),
        move: (id, cwd) => routed(id, service.move(id, cwd), (client) => client.move({ id, cwd })),
        fork: (id, to) => routed(id, service.fork(id, to), (client) => client.fork({ id, to })),
        release: (id, flags) =>
          routed(id, service.release(id, flags), (client) => client.release({ id, flags })),
        claim: (id) => routed(id, service.claim(id), (client) => client.claim({ id })),
        acceptHistory: (id) =>
          routed(id, service.acceptHistory(id), (client) => client.acceptHistory({ id })),
        restore: (id) => routed(id, service.restore(id), (client) => client.restore({ id })),
        handOver: (id, to) => routed(id, service.handOver(id, to), (client) => client.handOver({ id, to })),
        update: (id, change) =>
          routed(id, service.update(id, change), (client) => client.update({ id, change }))
      }).pipe(
        Context.add(LocalServices, { service, threads }),
        Context.add(Threads, {
          ...threads,
          remove: (id, options) =>
            routed(id, threads.remove(id, options), (client) =>
              client.remove({ id, unused: options?.unused === true })
            ),
          get: (id) => seen(id, threads.get(id), (client) => client.get({ id })),
          items: (id, page) => seen(id, threads.items(id, page), (client) => client.items({ id, ...page })),
          snapshot: (id, items) =>
            seen(id, threads.snapshot(id, items), (client) => client.snapshot({ id, items }))
        })
      )
    })
  )

const isAway = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "away" in error && error.away === true
