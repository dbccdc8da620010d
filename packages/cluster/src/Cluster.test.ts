import { NodeHttpServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { RequestNotFound, StoreFailed } from "@rejoin/contracts/Errors"
import { RequestId, ThreadId } from "@rejoin/contracts/Ids"
import { ProviderService } from "@rejoin/core/ProviderService"
import { layerMemory } from "@rejoin/core/store/MemoryThreadStore"
import { alone, type Place } from "@rejoin/core/store/Ownership"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { Threads } from "@rejoin/core/threads/Threads"
import { Context, Effect, Exit, Layer, Option, Redacted, Scope } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import { createServer } from "node:http"
import * as MachineServer from "./MachineServer.ts"
import * as RoutedServices from "./RoutedServices.ts"

const secret = Redacted.make("a secret of this cluster")
const id = ThreadId.make("t1")
const requestId = RequestId.make("r1")

/** What was done, and where. */
type Done = Array<string>

const services = (name: string, done: Done) => ({
  service: {
    stop: () => Effect.sync(() => void done.push(`${name} stop`)),
    answer: () => Effect.fail(new RequestNotFound({ requestId, message: `${name} has none` })),
    send: () => Effect.sync(() => done.push(`${name} send`))
  } as unknown as ProviderService["Service"],
  threads: {
    get: () => Effect.sync(() => done.push(`${name} get`))
  } as unknown as Threads["Service"]
})

/** The machine that runs the thread, as the others reach it. */
const owner = Effect.fnUntraced(function* (done: Done) {
  const scope = yield* Effect.flatMap(Effect.scope, Scope.fork)
  const context = yield* HttpRouter.serve(MachineServer.layer(secret), {
    disableLogger: true,
    disableListenLog: true
  }).pipe(
    Layer.provideMerge(
      NodeHttpServer.layer(createServer, {
        port: 0,
        host: "127.0.0.1",
        gracefulShutdownTimeout: "100 millis"
      })
    ),
    Layer.provide(Layer.succeed(RoutedServices.LocalServices, services("there", done))),
    Layer.build,
    Scope.provide(scope)
  )
  const { address } = Context.get(context, HttpServer.HttpServer)
  const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
  return { url, end: Scope.close(scope, Exit.void) }
})

/** Another machine, which is asked. */
const asked = Effect.fnUntraced(function* (done: Done, place: Option.Option<Place>, word = secret) {
  const { service, threads } = services("here", done)
  const store = Context.get(yield* Layer.build(layerMemory), ThreadStore)
  const context = yield* RoutedServices.layer(word).pipe(
    Layer.provide(
      Layer.mergeAll(
        Layer.succeed(ThreadStore, {
          ...store,
          ownership: { ...alone, placeOf: () => Effect.succeed(place) }
        }),
        Layer.succeed(ProviderService, service),
        Layer.succeed(Threads, threads)
      )
    ),
    Layer.build
  )
  return { service: Context.get(context, ProviderService), threads: Context.get(context, Threads) }
})

const at = (url: string) => Option.some({ machine: "the other one", url })

describe("M2: what is asked of a thread that another machine runs", () => {
  it.live("is done there, and fails as it does there; what can wait is written down here", () =>
    Effect.gen(function* () {
      const done: Done = []
      const there = yield* owner(done)
      const { service } = yield* asked(done, at(there.url))
      yield* service.stop(id)
      const failure = yield* Effect.flip(service.answer(id, requestId, { decision: "accept" }))
      assert.instanceOf(failure, RequestNotFound)
      assert.strictEqual(failure.message, "there has none")
      yield* service.send(id, { input: "one" })
      const own = yield* asked(done, Option.none())
      yield* own.service.stop(id)
      assert.deepEqual(done, ["there stop", "here send", "here stop"])
    }).pipe(Effect.scoped)
  )

  it.live("without the cluster's secret nothing is done there, and the answer is 401", () =>
    Effect.gen(function* () {
      const done: Done = []
      const there = yield* owner(done)
      for (const authorization of ["", "Bearer another", Redacted.value(secret)]) {
        const { status } = yield* Effect.promise(() =>
          fetch(`${there.url}/cluster`, { headers: { authorization } })
        )
        assert.strictEqual(status, 401)
      }
      const { service } = yield* asked(done, at(there.url), Redacted.make("another"))
      const failure = yield* Effect.flip(service.stop(id))
      assert.instanceOf(failure, StoreFailed)
      assert.deepInclude(failure, { away: true })
      assert.deepEqual(done, [])
    }).pipe(Effect.scoped)
  )

  it.live("a machine that is gone is an error at once, and what is only to be seen is read here", () =>
    Effect.gen(function* () {
      const done: Done = []
      const there = yield* owner(done)
      const { service, threads } = yield* asked(done, at(there.url))
      yield* service.stop(id)
      yield* there.end
      const failure = yield* Effect.flip(service.stop(id))
      assert.include(
        failure.message,
        "The machine the other one, which runs this thread, cannot be reached now"
      )
      yield* threads.get(id)
      assert.deepEqual(done, ["there stop", "here get"])
    }).pipe(Effect.scoped)
  )
})
