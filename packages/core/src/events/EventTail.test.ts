import { assert, describe, it } from "@effect/vitest"
import { ThreadId } from "@rejoin/contracts/Ids"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Timestamp } from "@rejoin/contracts/Time"
import { Context, Deferred, Effect, Layer } from "effect"
import { layerMemory } from "../store/MemoryThreadStore.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { makeTail } from "./EventTail.ts"

const event = (position: number): RuntimeEvent => ({
  type: "warning",
  threadId: ThreadId.make("t1"),
  seq: position,
  position,
  generation: 0,
  at: Timestamp.make("2026-01-01T00:00:00.000Z"),
  data: {}
})

describe("M7: events of several servers", () => {
  it.effect("ours that are told together are published without those of another between them left out", () =>
    Effect.gen(function* () {
      const all = [1, 2, 3, 4, 5, 6].map(event)
      const whole = yield* Deferred.make<void>()
      const seen: Array<number> = []
      const store = {
        ...Context.get(yield* Layer.build(layerMemory), ThreadStore),
        readEvents: ((from: { readonly afterPosition: number }) =>
          Effect.succeed(
            all.filter(({ position }) => position > from.afterPosition)
          )) as ThreadStore["Service"]["readEvents"]
      }
      const tell = yield* makeTail(store, 0, (events) => {
        for (const { position } of events) seen.push(position)
        if (seen.length === all.length) Deferred.doneUnsafe(whole, Effect.void)
      })
      tell([1, 2, 5, 6].map(event))
      assert.deepEqual(seen, [1, 2])
      yield* Deferred.await(whole)
      assert.deepEqual(seen, [1, 2, 3, 4, 5, 6])
    }).pipe(Effect.scoped)
  )
})
