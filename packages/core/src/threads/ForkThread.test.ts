import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option } from "effect"
import { ProviderService } from "../ProviderService.ts"
import { failureOf, makeWorld, openThread, say, sendHeld } from "../testing/World.ts"
import { Threads } from "./Threads.ts"

describe("N5: a fork of a thread", () => {
  it.effect(
    "goes on from the whole conversation, in a directory of its own; the origin does not notice",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const id = yield* world.life(Effect.tap(openThread(), (id) => say(id, "one")))
        const fork = yield* world.life(
          Effect.gen(function* () {
            const service = yield* ProviderService
            const fork = yield* service.fork(id, { cwd: "/tree" })
            assert.deepInclude({ ...fork }, { forkedFrom: { threadId: id }, cwd: "/tree" })
            assert.strictEqual((yield* say(fork.id, "two")).output, "one | two")
            assert.strictEqual((yield* say(id, "three")).output, "one | three")
            return fork
          })
        )
        assert.strictEqual((yield* world.life(say(fork.id, "four"))).output, "one | two | four")
        const [, first] = yield* world.store.listReceipts(fork.id, { limit: 10 })
        assert.strictEqual(first?.outcome, "forked")
        assert.strictEqual(first?.providerSessionIdBefore, "mem_1")
        assert.strictEqual(first?.providerSessionIdAfter, "mem_2")
        assert.strictEqual(first?.cwdVerified, "/tree")
        assert.strictEqual(first?.reason, `forked from ${id}`)
      })
  )

  it.effect("from a turn: what came after it is not there", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const id = yield* openThread()
          yield* say(id, "one")
          const second = yield* say(id, "two")
          yield* say(id, "three")
          const fork = yield* service.fork(id, { turnId: second.id })
          assert.strictEqual((yield* say(fork.id, "else")).output, "one | two | else")
          const other = yield* openThread()
          const foreign = yield* Effect.exit(service.fork(other, { turnId: second.id }))
          assert.strictEqual(failureOf(foreign)?._tag, "TurnNotFound")
        })
      )
    })
  )

  it.effect(
    "is refused where the provider cannot, while a turn runs, and where the conversation is gone",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const service = yield* ProviderService
            const threads = yield* Threads
            const id = yield* openThread()
            const turn = yield* say(id, "one")
            const { capabilities } = world.upstream
            world.upstream.capabilities = { ...capabilities, fork: ["whole"] }
            const refused = yield* Effect.exit(service.fork(id, { turnId: turn.id }))
            assert.deepInclude(
              { ...failureOf(refused) },
              { _tag: "CapabilityMissing", capability: "fork:turn" }
            )
            world.upstream.capabilities = capabilities

            yield* service.stop(id)
            const [session] = [...world.upstream.sessions.values()]
            world.upstream.sessions.clear()
            const lost = yield* Effect.exit(service.fork(id, {}))
            assert.strictEqual(failureOf(lost)?._tag, "UpstreamLost")
            assert.strictEqual(world.upstream.sessions.size, 0)
            // No thread is left of a fork that did not come about.
            assert.lengthOf((yield* threads.list({ limit: 10 })).items, 1)

            if (session) world.upstream.sessions.set(session.id, session)
            yield* sendHeld(id)
            assert.strictEqual(failureOf(yield* Effect.exit(service.fork(id, {})))?._tag, "ThreadBusy")
            yield* service.interrupt(id)
          })
        )
      })
  )

  it.effect("law 7: given up at any moment, it is there with its session, or nothing of it is", () =>
    Effect.gen(function* () {
      // A store on a disk takes its time; what is given up meanwhile is given up when it has written.
      const world = yield* makeWorld({}, (store) => ({
        ...store,
        transaction: (body) => Effect.tap(store.transaction(body), Effect.yieldNow)
      }))
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const threads = yield* Threads
          const id = yield* openThread()
          yield* say(id, "one")
          let stopped = 0
          const stopping = Effect.gen(function* () {
            const [newest] = (yield* threads.list({ limit: 100 })).items
            if (newest === undefined || newest.id === id) return
            stopped++
            yield* Effect.ignore(service.stop(newest.id))
          })
          for (const giveUp of ["interrupt", "stop"] as const) {
            let whole = false
            for (let steps = 0; !whole; steps++) {
              const fiber = yield* Effect.forkChild(service.fork(id, {}), { startImmediately: true })
              for (let step = 0; step < steps; step++) yield* Effect.yieldNow
              whole = fiber.pollUnsafe() !== undefined
              yield* giveUp === "stop" ? stopping : Fiber.interrupt(fiber)
              yield* Fiber.await(fiber)
              const bound = (yield* threads.list({ limit: 100 })).items.map(
                ({ session }) => session.providerSessionId as string | undefined
              )
              assert.sameMembers([...world.upstream.sessions.keys()], bound, `${giveUp} after ${steps} steps`)
            }
          }
          assert.isAbove(world.upstream.sessions.size, 2)
          assert.isAbove(stopped, 2)
        })
      )
    })
  )

  it.effect("law 1: a fork that was never started begins with its origin's conversation, never empty", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const threads = yield* Threads
          const id = yield* openThread()
          yield* say(id, "one")
          const fork = yield* threads.fork(yield* threads.record(id), { cwd: "/work" })
          assert.strictEqual((yield* say(fork.id, "two")).output, "one | two")
          const late = yield* threads.fork(yield* threads.record(id), { cwd: "/work" })
          yield* threads.remove(id)
          const turn = yield* say(late.id, "two")
          assert.deepInclude({ ...turn.error }, { _tag: "UpstreamLost" })
          assert.isTrue(Exit.isSuccess(yield* Effect.exit(threads.get(late.id))))
          assert.isTrue(Option.isNone(yield* world.store.getThread(id)))
        })
      )
    })
  )
})
