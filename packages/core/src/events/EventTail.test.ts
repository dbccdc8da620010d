import { assert, describe, it } from "@effect/vitest"
import { ThreadId } from "@rejoin/contracts/Ids"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Timestamp } from "@rejoin/contracts/Time"
import { Context, Deferred, Effect, Fiber, Layer, Option, Queue, Semaphore, Stream } from "effect"
import { layerMemory } from "../store/MemoryThreadStore.ts"
import type { ThreadRecord } from "../store/Records.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { makeReaders } from "./EventReaders.ts"
import { makeTail } from "./EventTail.ts"

const threadRecord = (lastSeq: number) => ({ id: ThreadId.make("t1"), lastSeq }) as ThreadRecord

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
  it.effect("what another server tells while a reader enters is not passed over, and is no gap", () =>
    Effect.gen(function* () {
      const inner = Context.get(yield* Layer.build(layerMemory), ThreadStore)
      const all = [1, 2, 3].map(event)
      const heard = yield* Queue.unbounded<number>()
      const published = yield* Deferred.make<void>()
      let written = 1
      const store = {
        ...inner,
        lastPosition: Effect.succeed(1),
        heard: Stream.fromQueue(heard),
        getThread: () =>
          Effect.gen(function* () {
            const thread = Option.some(threadRecord(written))
            // As the answer is on its way, another server writes the next one, and it is published here.
            written = 2
            yield* Queue.offer(heard, 2)
            yield* Deferred.await(published)
            return thread
          }),
        readEvents: ((from: { readonly afterPosition?: number; readonly afterSeq?: number }) =>
          Effect.succeed(
            all.filter(
              ({ position }) => position <= written && position > (from.afterPosition ?? from.afterSeq ?? 0)
            )
          )) as ThreadStore["Service"]["readEvents"]
      }
      const { follow, tell } = yield* makeReaders(store, Semaphore.makeUnsafe(1), () =>
        Deferred.doneUnsafe(published, Effect.void)
      )
      const reading = yield* Effect.forkChild(
        Stream.runCollect(Stream.take(follow(ThreadId.make("t1"), 1), 2))
      )
      yield* Deferred.await(published)
      yield* Effect.yieldNow
      written = 3
      tell([event(3)])
      assert.deepEqual(
        (yield* Fiber.join(reading)).map(({ seq, type }) => [seq, type]),
        [
          [2, "warning"],
          [3, "warning"]
        ]
      )
    }).pipe(Effect.scoped)
  )

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
