import { assert, describe, it } from "@effect/vitest"
import { StoreFailed } from "@rejoin/contracts/Errors"
import { type ItemId, ThreadId } from "@rejoin/contracts/Ids"
import { Timestamp } from "@rejoin/contracts/Time"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { layerMemory } from "../store/MemoryThreadStore.ts"
import { makeWorld, openThread } from "../testing/World.ts"
import { ThreadEvents } from "./ThreadEvents.ts"
import { ThreadStore } from "../store/ThreadStore.ts"

const inLife = <A, E, R>(body: Effect.Effect<A, E, R>) =>
  Effect.flatMap(makeWorld(), ({ life }) => life(body))

const delta = (text: string, itemId = "i") => ({
  type: "item.updated" as const,
  itemId: itemId as ItemId,
  data: { field: "text", delta: text }
})

describe("events", () => {
  it.effect("deltas of one item within a batch are one event; another item or field ends it", () =>
    inLife(
      Effect.gen(function* () {
        const threadId = yield* openThread()
        const events = yield* ThreadEvents
        const store = yield* ThreadStore
        const origin = { threadId, generation: 1 }
        for (const text of ["a", "b", "c"]) yield* events.emit(origin, delta(text))
        yield* events.emit(origin, delta("x", "other"))
        yield* events.emit(origin, delta("d"))
        const before = yield* store.readEvents({ threadId, afterSeq: 1 }, 10)
        assert.lengthOf(before, 0)
        yield* TestClock.adjust("20 millis")
        const written = yield* store.readEvents({ threadId, afterSeq: 1 }, 10)
        assert.deepEqual(
          written.map(({ data }) => (data as { delta: string }).delta),
          ["abc", "x", "d"]
        )
      })
    )
  )

  it.effect("commit, then publish: what is seen is stored, and what is rolled back is never seen", () =>
    inLife(
      Effect.gen(function* () {
        const threadId = yield* openThread()
        const events = yield* ThreadEvents
        const store = yield* ThreadStore
        const origin = { threadId, generation: 1 }
        const seen = yield* Effect.forkChild(
          events.follow(threadId, 1).pipe(
            Stream.mapEffect((event) =>
              Effect.map(store.readEvents({ threadId, afterSeq: event.seq - 1 }, 1), ([stored]) => [
                event,
                stored
              ])
            ),
            Stream.take(2),
            Stream.runCollect
          )
        )
        const failing = events.transact(origin, (emit) => {
          emit({ type: "warning", data: "rolled back" })
          return Effect.fail("no" as const)
        })
        yield* events.emit(origin, { type: "warning", data: "buffered before" })
        assert.isTrue(Exit.isFailure(yield* Effect.exit(failing)))
        yield* events.transact(origin, (emit) => Effect.sync(() => emit({ type: "warning", data: "kept" })))
        const pairs = yield* Fiber.join(seen)
        assert.deepEqual(
          pairs.map(([event, stored]) => [event?.data, stored?.data]),
          [
            ["buffered before", "buffered before"],
            ["kept", "kept"]
          ]
        )
      })
    )
  )

  it.effect("S20: a reader that does not read blocks nobody, and finds everything when it comes back", () =>
    inLife(
      Effect.gen(function* () {
        const threadId = yield* openThread()
        const events = yield* ThreadEvents
        const gate = yield* Deferred.make<void>()
        const slow = yield* Effect.forkChild(
          events.follow(threadId, 1).pipe(
            Stream.tap(() => Deferred.await(gate)),
            Stream.map(({ seq }) => seq),
            Stream.take(5000),
            Stream.runCollect
          )
        )
        yield* Effect.yieldNow
        // Far more than is kept in memory.
        for (let i = 0; i < 50; i++) {
          yield* events.transact({ threadId, generation: 1 }, (emit) =>
            Effect.sync(() => {
              for (let j = 0; j < 100; j++) emit({ type: "warning", data: j })
            })
          )
        }
        yield* Deferred.succeed(gate, undefined)
        assert.deepEqual(
          yield* Fiber.join(slow),
          Array.from({ length: 5000 }, (_, i) => i + 2)
        )
      })
    )
  )

  it.effect("S20: a batch larger than what is kept in memory reaches a reader that waits for it whole", () =>
    inLife(
      Effect.gen(function* () {
        const threadId = yield* openThread()
        const events = yield* ThreadEvents
        const waiting = yield* Effect.forkChild(
          events.follow(threadId, 1).pipe(
            Stream.map(({ seq }) => seq),
            Stream.take(3000),
            Stream.runCollect
          )
        )
        for (let i = 0; i < 10; i++) yield* Effect.yieldNow
        yield* events.transact({ threadId, generation: 1 }, (emit) =>
          Effect.sync(() => {
            for (let i = 0; i < 3000; i++) emit({ type: "warning", data: i })
          })
        )
        assert.deepEqual(
          yield* Fiber.join(waiting),
          Array.from({ length: 3000 }, (_, i) => i + 2)
        )
      })
    )
  )

  it.effect("S20: a range that is no longer stored is told as one gap", () =>
    Effect.gen(function* () {
      const inner = Context.get(yield* Layer.build(layerMemory), ThreadStore)
      // Retention has removed the first nine events.
      const store = ThreadStore.of({
        ...inner,
        readEvents: (from, limit) =>
          Effect.map(inner.readEvents(from, limit), (events) => events.filter(({ position }) => position > 9))
      })
      const threadId = ThreadId.make("t1")
      const drafts = Array.from({ length: 12 }, (_, i) => ({
        type: "warning" as const,
        threadId,
        generation: 1,
        at: Timestamp.make("2026-01-01T00:00:00.000Z"),
        data: i
      }))
      yield* inner.appendEvents(drafts)
      yield* Effect.gen(function* () {
        const events = yield* ThreadEvents
        const seen = yield* events.follow(undefined, 2).pipe(Stream.take(4), Stream.runCollect)
        assert.deepEqual(
          seen.map(({ type }) => type),
          ["events.gap", "warning", "warning", "warning"]
        )
        assert.deepEqual(seen[0]?.data, { from: 3, to: 9 })
      }).pipe(Effect.provide(ThreadEvents.layer), Effect.provideService(ThreadStore, store))
    })
  )

  it.effect("a batch that cannot be written is kept and written later; nothing is lost or doubled", () =>
    Effect.gen(function* () {
      const inner = Context.get(yield* Layer.build(layerMemory), ThreadStore)
      let full = true
      const store = ThreadStore.of({
        ...inner,
        appendEvents: (events) =>
          full ? Effect.fail(new StoreFailed({ message: "disk full" })) : inner.appendEvents(events)
      })
      yield* Effect.gen(function* () {
        const events = yield* ThreadEvents
        const threadId = ThreadId.make("t1")
        const origin = { threadId, generation: 1 }
        yield* events.emit(origin, delta("a"))
        yield* TestClock.adjust("1 second")
        yield* events.emit(origin, delta("b"))
        full = false
        yield* TestClock.adjust("5 seconds")
        const written = yield* inner.readEvents({ afterPosition: 0 }, 10)
        assert.deepEqual(
          written.map(({ data }) => (data as { delta: string }).delta),
          ["ab"]
        )
      }).pipe(Effect.provide(ThreadEvents.layer), Effect.provideService(ThreadStore, store))
    })
  )
})
