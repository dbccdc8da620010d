import { assert, describe, it } from "@effect/vitest"
import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { Effect, Option } from "effect"
import { ProviderService } from "../ProviderService.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { makeWorld, openThread, sendHeld, settled } from "../testing/World.ts"

const turnsOf = (id: ThreadId) => Effect.flatMap(ThreadStore, (store) => store.listTurns(id, { limit: 50 }))

/** What a kill leaves: everything is as it was in the middle of the turn. */
const asRunning = Effect.fnUntraced(function* (turnId: TurnId, change: object = {}) {
  const store = yield* ThreadStore
  const turn = Option.getOrThrow(yield* store.getTurn(turnId))
  yield* store.saveTurn({ ...turn, status: "running", error: null, settledAt: null, ...change })
})

type World = Effect.Success<ReturnType<typeof makeWorld>>

/** A life that ends in the middle of a turn, as a kill does: what it settled at its end is taken back. */
const killed = Effect.fnUntraced(function* (world: World, id?: ThreadId) {
  const { thread, turnId } = yield* world.life(
    Effect.gen(function* () {
      const thread = id ?? (yield* openThread())
      return { thread, turnId: yield* sendHeld(thread) }
    })
  )
  const store = world.store
  const turns = yield* store.listTurns(thread, { limit: 50 })
  // With it goes what that end made of it.
  for (const turn of turns.filter(({ continues }) => continues?.turnId === turnId)) {
    yield* store.saveTurn({ ...turn, status: "interrupted" })
  }
  yield* asRunning(turnId).pipe(Effect.provideService(ThreadStore, store))
  return { thread, turnId }
})

describe("a turn that was cut off", () => {
  it.effect("U2: without being asked for, it is told, and nothing goes on", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { thread, turnId } = yield* killed(world)
      yield* world.life(
        Effect.gen(function* () {
          assert.strictEqual((yield* settled(thread, turnId)).status, "interrupted")
          assert.lengthOf(yield* turnsOf(thread), 1)
        })
      )
    })
  )

  it.effect("U2, law 6: a new turn with words of its own goes on; the old one is not sent again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onInterrupted: "continue" })
      const { thread, turnId } = yield* killed(world)
      yield* world.life(
        Effect.gen(function* () {
          assert.strictEqual((yield* settled(thread, turnId)).status, "interrupted")
          const next = (yield* turnsOf(thread)).at(-1)
          assert.deepInclude(next?.continues, { turnId, because: "interrupted" })
          const done = yield* settled(thread, next?.id as TurnId)
          assert.match(done.output, /^hold \| The server restarted while you worked\./)
        })
      )
      assert.lengthOf(
        world.upstream.asked.filter(({ input }) => input === "hold"),
        1
      )
    })
  )

  it.effect(
    "U2: a polite end of the server is no person's interruption of the turn: it goes on in the next life",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ onInterrupted: "continue" })
        const { thread, turnId } = yield* world.life(
          Effect.gen(function* () {
            const thread = yield* openThread()
            return { thread, turnId: yield* sendHeld(thread) }
          })
        )
        yield* world.life(
          Effect.gen(function* () {
            const [first, next] = yield* turnsOf(thread)
            assert.strictEqual(first?.status, "interrupted")
            assert.strictEqual(next?.continues?.turnId, turnId)
            assert.strictEqual((yield* settled(thread, next?.id as TurnId)).status, "completed")
          })
        )
      })
  )

  it.effect("U2: an agent that dies under a turn is started again, and told to go on", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onInterrupted: "continue" })
      yield* world.life(
        Effect.gen(function* () {
          const thread = yield* openThread()
          const turnId = yield* sendHeld(thread)
          yield* world.upstream.crash
          assert.strictEqual((yield* settled(thread, turnId)).status, "interrupted")
          const next = (yield* turnsOf(thread)).at(-1)
          assert.match(
            (yield* settled(thread, next?.id as TurnId)).output,
            /Your program ended while you worked/
          )
        })
      )
    })
  )

  it.effect(
    "U2: never where a person ended it: by an interrupt, a stop, or an interrupt that a kill overtook",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ onInterrupted: "continue" })
        const thread = yield* world.life(
          Effect.gen(function* () {
            const service = yield* ProviderService
            const thread = yield* openThread()
            const first = yield* sendHeld(thread)
            yield* service.interruptTurn(thread, first)
            yield* settled(thread, first)
            const second = yield* sendHeld(thread)
            yield* service.stop(thread)
            yield* settled(thread, second)
            assert.lengthOf(yield* turnsOf(thread), 2)
            return thread
          })
        )
        const { turnId } = yield* killed(world, thread)
        const count = (yield* turnsOf(thread).pipe(Effect.provideService(ThreadStore, world.store))).length
        yield* asRunning(turnId, { interruptAsked: true }).pipe(
          Effect.provideService(ThreadStore, world.store)
        )
        yield* world.life(
          Effect.gen(function* () {
            assert.strictEqual((yield* settled(thread, turnId)).status, "interrupted")
            assert.lengthOf(yield* turnsOf(thread), count)
          })
        )
      })
  )

  it.effect("U2, laws 3 and 4: never where the directory or the mode could not be read back", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onInterrupted: "continue" })
      world.upstream.faults.ignoresMode = true
      const { thread, turnId } = yield* killed(world)
      yield* world.life(
        Effect.gen(function* () {
          yield* settled(thread, turnId)
          assert.isEmpty(
            (yield* turnsOf(thread)).filter(({ continues, status }) => continues && status !== "interrupted")
          )
        })
      )
    })
  )

  it.effect("U2: three times in a row without anything done, and no more", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onInterrupted: "continue" })
      const { thread } = yield* killed(world)
      const store = world.store
      for (let life = 1; life <= 5; life++) {
        yield* world.life(Effect.void)
        // Each life is killed before its turn has done anything.
        const turns = yield* store.listTurns(thread, { limit: 50 })
        const last = turns.findLast(({ continues }) => continues !== undefined)
        if (last?.status === "accepted") {
          yield* store.saveTurn({
            ...last,
            status: "running",
            messageId: turns[0]?.messageId ?? null,
            generation: turns[0]?.generation ?? 1
          })
        }
      }
      const turns = yield* store.listTurns(thread, { limit: 50 })
      const [inVain, last] = [turns.map(({ continues }) => continues?.inVain ?? 0), turns.at(-1)]
      assert.strictEqual(Math.max(...inVain), 3)
      assert.strictEqual(last?.continues?.inVain, 3)
      assert.strictEqual(last?.status, "interrupted")
    })
  )
})
