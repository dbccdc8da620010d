import { assert, describe, it } from "@effect/vitest"
import { ProviderUnavailable } from "@rejoin/contracts/Errors"
import { Effect, Fiber, Option } from "effect"
import { TestClock } from "effect/testing"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { ProviderService } from "../ProviderService.ts"
import { failureOf, makeWorld, memory, openThread, say } from "../testing/World.ts"

type World = Effect.Success<ReturnType<typeof makeWorld>>

const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), ({ _tag }) => _tag)

/** What the agent begins by itself in a terminal. */
const saidThere = ({ upstream }: World, at: number, ...said: ReadonlyArray<string>) =>
  upstream.create({
    title: "",
    createdAt: at,
    directory: "/work",
    mode: undefined,
    model: null,
    messages: said.map((input, i) => ({ id: `own_${upstream.sessions.size}_${i}`, input }))
  }).id

/** A thread that was opened in a terminal, in which the agent runs. */
const opened = Effect.fnUntraced(function* (world: World) {
  const service = yield* ProviderService
  const id = yield* openThread({ runtimeMode: "full-access" })
  const command = yield* service.release(id, ["--verbose"])
  world.terminal.runs = "agent"
  return { id, command, service }
})

/** Its user leaves the agent, whose hook told of these sessions. */
const left = ({ terminal }: World, ...sessions: ReadonlyArray<string>) => {
  terminal.runs = "none"
  terminal.reports = sessions.map((session) => ({ pid: 1, told: { session } }))
}

const sessionOf = ({ store }: World, id: Parameters<typeof say>[0]) =>
  Effect.map(store.getBinding(id), (found) => Option.getOrThrow(found).providerSessionId)

describe("a new session that is begun in the user's own terminal", () => {
  it.effect("E4, E11, I5: refused meanwhile; then the thread's, with what was said there", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const { command, id, service } = yield* opened(world)
          assert.isNull(command.providerSessionId)
          assert.deepEqual(command.args, ["new", "full-access", "--verbose"])
          assert.strictEqual((yield* say(id, "too early")).error?._tag, "SessionHeldElsewhere")
          assert.strictEqual(yield* tagOf(service.claim(id)), "SessionHeldElsewhere")
          assert.strictEqual(yield* tagOf(service.release(id, [])), "SessionHeldElsewhere")
          left(world, saidThere(world, 0, "said there", "and this"))
        })
      )
      // It is found by the next server too, whoever asks first.
      const [id] = (yield* world.store.listThreads({ limit: 1 })).map((thread) => thread.id)
      if (id === undefined) return assert.fail("the thread is gone")
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const receipt = yield* service.claim(id)
          assert.strictEqual(receipt.outcome, "adopted")
          const turns = yield* world.store.listTurns(id, { limit: 10 })
          assert.deepEqual(
            turns.map(({ elsewhere, input }) => [input, elsewhere === true]),
            [
              ["too early", false],
              ["said there", true],
              ["and this", true]
            ]
          )
          assert.strictEqual((yield* say(id, "here")).output, "said there | and this | here")
          const thread = Option.getOrThrow(yield* world.store.getThread(id))
          assert.strictEqual(thread.title, "too early")
        })
      )
    })
  )

  it.effect("nothing was said there: told, and the thread begins here", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const { id, service } = yield* opened(world)
          left(world)
          assert.strictEqual(yield* tagOf(service.claim(id)), "InvalidInput")
          assert.strictEqual((yield* say(id, "one")).output, "one")
        })
      )
    })
  )

  it.effect("E7, E8: without a hook only the one that is new there, and that nobody has, is claimed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          yield* TestClock.adjust("1 hour")
          const hour = 3_600_000
          saidThere(world, hour - 60_000, "somebody's, from before")
          const { id, service } = yield* opened(world)
          left(world)
          const only = saidThere(world, hour, "mine")
          assert.strictEqual((yield* service.claim(id)).providerSessionIdAfter, only)

          const second = yield* opened(world)
          left(world)
          saidThere(world, hour, "one of two")
          saidThere(world, hour, "the other")
          assert.strictEqual(yield* tagOf(service.claim(second.id)), "UpstreamLost")
          assert.isNull(yield* sessionOf(world, second.id))
        })
      )
    })
  )

  it.effect("E7: of two that are open in one directory without hooks, neither gets the other's", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const [one, other] = [yield* opened(world), yield* opened(world)]
          left(world)
          saidThere(world, 0, "in one of them")
          assert.strictEqual(yield* tagOf(one.service.claim(one.id)), "UpstreamLost")
          // The first is back by now: what is there is still not told apart.
          assert.strictEqual(yield* tagOf(one.service.claim(other.id)), "UpstreamLost")
        })
      )
    })
  )

  it.effect("E11: a session that another thread has is not claimed, whatever the hook told", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const [one, other] = [yield* opened(world), yield* opened(world)]
          const session = saidThere(world, 0, "said once")
          left(world, session)
          assert.strictEqual((yield* one.service.claim(one.id)).providerSessionIdAfter, session)
          assert.strictEqual(yield* tagOf(one.service.claim(other.id)), "UpstreamLost")
          assert.isNull(yield* sessionOf(world, other.id))
        })
      )
    })
  )

  it.effect("E9, E15: a list that cannot be read is asked for four times, and then no id is claimed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const { id, service } = yield* opened(world)
          const adapter = yield* Effect.flatMap(ProviderRegistry, (registry) => registry.get(memory))
          const { own } = adapter
          if (own === undefined) return assert.fail("the agent has no sessions of its own")
          let asked = 0
          const unreadable = Effect.suspend(() => {
            asked++
            return Effect.fail(new ProviderUnavailable({ provider: memory, message: "locked" }))
          })
          Object.assign(adapter, { own: { ...own, list: () => unreadable } })
          left(world)
          saidThere(world, 0, "mine")
          const claiming = yield* Effect.forkChild(Effect.exit(service.claim(id)))
          yield* TestClock.adjust("10 seconds")
          assert.strictEqual(failureOf(yield* Fiber.join(claiming))?._tag, "UpstreamLost")
          assert.strictEqual(asked, 4)
          Object.assign(adapter, { own })
          assert.strictEqual((yield* say(id, "one")).output, "one")
        })
      )
    })
  )
})
