import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { ProviderService } from "../ProviderService.ts"
import { event, makeWorld, openThread, sendHeld, settled } from "../testing/World.ts"
import { TurnDispatcher } from "./TurnDispatcher.ts"

describe("law 6: what waits is not begun by a server that stops, or does not serve yet", () => {
  it.effect(
    "a turn that waits for its place waits on over a polite stop, however slowly sessions close",
    () =>
      Effect.gen(function* () {
        const { life, store, upstream } = yield* makeWorld()
        const closing = Deferred.makeUnsafe<void>()
        const { id, queued } = yield* life(
          Effect.gen(function* () {
            const service = yield* ProviderService
            const id = yield* openThread()
            const held = yield* sendHeld(id)
            const queued = yield* service.send(id, { input: "after it" })
            yield* sendHeld(yield* openThread())
            // The first session closes at once, the other one only when the turn of the first is told to have ended.
            let looked = 0
            Object.defineProperty(upstream.faults, "holdsClose", {
              configurable: true,
              get: () => (++looked === 1 ? undefined : closing)
            })
            yield* settled(id, held).pipe(
              Effect.andThen(Deferred.succeed(closing, undefined)),
              Effect.forkDetach({ startImmediately: true })
            )
            return { id, queued: queued.id }
          })
        )
        Object.defineProperty(upstream.faults, "holdsClose", { configurable: true, value: undefined })
        assert.deepEqual(
          (yield* store.openTurns("all")).map(({ status }) => status),
          ["accepted"]
        )
        const turn = yield* life(settled(id, queued))
        assert.strictEqual(turn.status, "completed")
        assert.lengthOf(
          upstream.asked.filter(({ input }) => input === "after it"),
          1
        )
      })
  )

  it.effect("paused, nothing begins; resumed, what waits does, in order", () =>
    Effect.gen(function* () {
      const { life, upstream } = yield* makeWorld()
      yield* life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          const dispatcher = yield* TurnDispatcher
          const id = yield* openThread()
          yield* dispatcher.pause
          const turns = yield* Effect.forEach(["one", "two"], (input) => service.send(id, { input }))
          yield* event(id, "turn.accepted", ({ turnId }) => turnId === turns[1]?.id)
          yield* Effect.yieldNow
          assert.deepEqual(upstream.asked, [])
          yield* dispatcher.resume
          for (const turn of turns) assert.strictEqual((yield* settled(id, turn.id)).status, "completed")
          assert.deepEqual(
            upstream.asked.map(({ input }) => input),
            ["one", "two"]
          )
        })
      )
    })
  )
})
