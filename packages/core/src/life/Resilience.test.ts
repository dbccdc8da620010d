import { assert, describe, it } from "@effect/vitest"
import { StoreFailed } from "@rejoin/contracts/Errors"
import { known } from "@rejoin/contracts/Fact"
import { ItemId, type TurnId } from "@rejoin/contracts/Ids"
import { Deferred, Effect, Fiber, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import { AdapterEvent } from "../providers/AdapterEvent.ts"
import { ProviderAdapter } from "../providers/ProviderAdapter.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { ProviderService } from "../ProviderService.ts"
import { makeInMemoryAdapter } from "../testing/InMemoryAdapter.ts"
import { event, makeWorld, openThread, say, sendHeld, settled } from "../testing/World.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { Threads } from "../threads/Threads.ts"

type World = Effect.Success<ReturnType<typeof makeWorld>>

const busy = new StoreFailed({ message: "the database is locked" })

const away = new StoreFailed({ message: "the database does not answer", away: true })

/** Refuses to write a turn in one of these states, so many times. The service is a plain object: it can be changed. */
const refuseTurns = (
  { store }: World,
  statuses: ReadonlyArray<string>,
  times: number,
  error: StoreFailed = busy
) => {
  const inner = store.saveTurn
  let left = times
  Object.assign(store, {
    saveTurn: (turn: Parameters<typeof inner>[0]) =>
      statuses.includes(turn.status) && left-- > 0 ? Effect.fail(error) : inner(turn)
  })
}

describe("a store that refuses", () => {
  it.effect("law 6: to write that a turn runs: it is told as interrupted, and the thread goes on", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          refuseTurns(world, ["running"], 1)
          const service = yield* ProviderService
          const turn = yield* service.send(id, { input: "one" })
          const wait = yield* Effect.forkChild(settled(id, turn.id))
          yield* TestClock.adjust("2 seconds")
          assert.strictEqual((yield* Fiber.join(wait)).status, "interrupted")
          assert.strictEqual((yield* say(id, "two")).output, "one | two")
        })
      )
    })
  )

  it.effect("law 6: to write how a turn ended, more than once: it is settled all the same, once", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          refuseTurns(world, ["completed", "interrupted"], 3)
          const service = yield* ProviderService
          const turn = yield* service.send(id, { input: "one" })
          const wait = yield* Effect.forkChild(settled(id, turn.id))
          for (let i = 0; i < 5; i++) yield* TestClock.adjust("2 seconds")
          assert.strictEqual((yield* Fiber.join(wait)).status, "interrupted")
          assert.strictEqual((yield* say(id, "two")).output, "one | two")
        })
      )
    })
  )

  for (const state of ["dispatching", "running", "completed"]) {
    it.effect(`M6: that is away for a minute as a turn is to be ${state}: it goes on, and is said once`, () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const id = yield* openThread()
            refuseTurns(world, [state], 25, away)
            const service = yield* ProviderService
            const turn = yield* service.send(id, { input: "one" })
            const wait = yield* Effect.forkChild(settled(id, turn.id))
            for (let at = 0; at < 60; at++) yield* TestClock.adjust("1 second")
            const { output, status } = yield* Fiber.join(wait)
            assert.deepEqual([status, output], ["completed", "one"])
            assert.lengthOf(world.upstream.asked, 1)
          })
        )
      })
    )
  }

  for (const write of ["saveIntent", "nextGeneration", "saveReceipt"] as const) {
    it.effect(
      `M6: that is away for a moment as a session begins (${write}): the turn waits, and is not failed`,
      () =>
        Effect.gen(function* () {
          const world = yield* makeWorld()
          yield* world.life(
            Effect.gen(function* () {
              const id = yield* openThread()
              const inner = world.store[write] as (of: never) => Effect.Effect<unknown, StoreFailed>
              let left = 2
              Object.assign(world.store, {
                [write]: (of: never) => (left-- > 0 ? Effect.fail(away) : inner(of))
              })
              const service = yield* ProviderService
              const turn = yield* service.send(id, { input: "one" })
              const wait = yield* Effect.forkChild(settled(id, turn.id))
              for (let at = 0; at < 20; at++) yield* TestClock.adjust("1 second")
              const ended = yield* Fiber.join(wait)
              assert.deepEqual([ended.status, ended.output], ["completed", "one"])
            })
          )
        })
    )
  }

  it.effect("M6: that is away for longer than ten minutes: the turn ends, and the thread goes on", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          refuseTurns(world, ["completed"], Number.POSITIVE_INFINITY, away)
          const service = yield* ProviderService
          const turn = yield* service.send(id, { input: "one" })
          const wait = yield* Effect.forkChild(settled(id, turn.id))
          for (let at = 0; at < 11; at++) yield* TestClock.adjust("1 minute")
          assert.strictEqual((yield* Fiber.join(wait)).status, "interrupted")
        })
      )
    })
  )

  it.effect("M6: what is sent while it is away is refused as that, and nothing is kept of it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          refuseTurns(world, ["accepted"], 1, away)
          const service = yield* ProviderService
          const error = yield* Effect.flip(service.send(id, { input: "one" }))
          assert.deepInclude({ ...error }, { _tag: "StoreFailed", away: true })
          assert.lengthOf(yield* world.store.listTurns(id, { limit: 9 }), 0)
          assert.strictEqual((yield* say(id, "two")).output, "two")
        })
      )
    })
  )

  it.effect("law 6: to be read: an accepted turn is looked at again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const inner = world.store.openTurns
          let left = 1
          Object.assign(world.store, {
            openTurns: (of: Parameters<typeof inner>[0]) => (left-- > 0 ? Effect.fail(busy) : inner(of))
          })
          const service = yield* ProviderService
          const turn = yield* service.send(id, { input: "one" })
          const wait = yield* Effect.forkChild(settled(id, turn.id))
          yield* TestClock.adjust("2 seconds")
          assert.strictEqual((yield* Fiber.join(wait)).output, "one")
        })
      )
    })
  )
})

describe("a session that goes wrong", () => {
  it.effect("law 3: that tells another directory fails its turn with the reason, and is not used again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const turnId = yield* sendHeld(id)
          world.upstream.tell(
            AdapterEvent.Checked({ what: "cwd", stage: "submit", found: known("/elsewhere", "answer") })
          )
          const turn = yield* settled(id, turnId)
          assert.strictEqual(turn.status, "failed")
          assert.strictEqual(turn.error?._tag, "DirectoryMismatch")
          yield* event(id, "session.exited")
          const [receipt] = yield* world.store.listReceipts(id, { limit: 1 })
          assert.strictEqual(receipt?.verification, "failed")
          assert.strictEqual((yield* say(id, "two")).output, "hold | two")
        })
      )
    })
  )

  it.effect("law 4: that tells other powers likewise", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread({ runtimeMode: "read-only" })
          const turnId = yield* sendHeld(id)
          world.upstream.tell(
            AdapterEvent.Checked({ what: "mode", stage: "tool", found: known("full-access", "tool") })
          )
          assert.strictEqual((yield* settled(id, turnId)).error?._tag, "PermissionMismatch")
        })
      )
    })
  )

  it.effect("that ignores an interrupt is closed after a while, and what is queued runs on another", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const service = yield* ProviderService
          const turnId = yield* sendHeld(id)
          const queued = yield* service.send(id, { input: "next" })
          world.upstream.faults.ignoresInterrupt = true
          const interrupting = yield* Effect.forkChild(service.interrupt(id))
          yield* TestClock.adjust("11 seconds")
          yield* Fiber.join(interrupting)
          assert.strictEqual((yield* settled(id, turnId)).status, "interrupted")
          assert.strictEqual((yield* settled(id, queued.id)).output, "hold | next")
        })
      )
    })
  )

  it.effect("law 5: nothing resumes beside a session that is still closing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          const closing = yield* Deferred.make<void>()
          world.upstream.faults.holdsClose = closing
          world.upstream.tell(AdapterEvent.Exited({ reason: "gone" }))
          yield* event(id, "session.exited")
          const service = yield* ProviderService
          const next = yield* service.send(id, { input: "two" })
          for (let i = 0; i < 20; i++) yield* Effect.yieldNow
          assert.strictEqual(Option.getOrThrow(yield* world.store.getTurn(next.id)).status, "accepted")
          assert.deepEqual(world.upstream.history("mem_1"), ["one"])
          yield* Deferred.succeed(closing, undefined)
          assert.strictEqual((yield* settled(id, next.id)).output, "one | two")
        })
      )
    })
  )

  it.effect("that ends in the middle of an answer leaves what had come of it, and no question behind", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const turnId = yield* sendHeld(id)
          const itemId = ItemId.make("half")
          const item = { id: itemId, kind: "assistant-message", status: "started", text: "" } as const
          const ask = { kind: "approval", permission: "bash", title: "x" } as const
          world.upstream.tell(AdapterEvent.ItemStarted({ item }))
          world.upstream.tell(AdapterEvent.ItemDelta({ itemId, field: "text", delta: "half an answer" }))
          world.upstream.tell(AdapterEvent.RequestOpened({ id: "r1", ask }))
          yield* event(id, "request.opened")
          yield* world.upstream.crash
          yield* settled(id, turnId)
          yield* event(id, "session.exited")
          const threads = yield* Threads
          const items = yield* threads.items(id, { limit: 10 })
          assert.deepInclude(
            items.find(({ id }) => id === itemId),
            { status: "failed", text: "half an answer" }
          )
          assert.deepEqual(yield* world.store.listRequests(id), [])
        })
      )
    })
  )

  it.effect("C37: a question between turns goes with its session", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          const ask = { kind: "approval", permission: "bash", title: "x" } as const
          world.upstream.tell(AdapterEvent.RequestOpened({ id: "late", ask }))
          yield* event(id, "request.opened")
          const service = yield* ProviderService
          yield* service.stop(id)
          assert.deepEqual(yield* world.store.listRequests(id), [])
        })
      )
    })
  )
})

describe("C31", () => {
  it.effect("what a provider tells before its start has returned is not lost", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const registry = yield* ProviderRegistry
          const adapter = makeInMemoryAdapter(world.upstream)
          const early = AdapterEvent.Warning({ message: "told early" })
          const create: typeof adapter.create = (request) =>
            Effect.tap(adapter.create(request), () => Effect.sync(() => world.upstream.tell(early)))
          yield* registry.add(Layer.succeed(ProviderAdapter, { ...adapter, create }))
          const id = yield* openThread()
          yield* say(id, "one")
          assert.include(JSON.stringify((yield* event(id, "warning")).data), "told early")
        })
      )
    })
  )
})

describe("law 7", () => {
  it.effect("a deleted thread keeps its upstream session, whatever a failed start of it left to undo", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "remember me")
          world.upstream.faults.failsAfterCreate = true
          world.upstream.faults.failsUndo = true
          const service = yield* ProviderService
          yield* Effect.exit(service.move(id, "/tree"))
          delete world.upstream.faults.failsAfterCreate
          delete world.upstream.faults.failsUndo
          const threads = yield* Threads
          yield* threads.remove(id)
          assert.deepEqual([...world.upstream.sessions.keys()], ["mem_1", "mem_2"])
        })
      )
      yield* world.life(Effect.void)
      assert.deepEqual([...world.upstream.sessions.keys()], ["mem_1"])
    })
  )

  it.effect("what is told of a thread that was deleted meanwhile harms no other", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const threads = yield* Threads
          const events = yield* ThreadEvents
          yield* threads.remove(id)
          const item = {
            id: ItemId.make("i"),
            turnId: "t" as TurnId,
            kind: "error",
            status: "started"
          } as const
          yield* events.emit(
            { threadId: id, generation: 1 },
            { type: "item.started" },
            { item: { threadId: id, item } }
          )
          yield* events.flush
          assert.strictEqual((yield* say(yield* openThread(), "one")).output, "one")
        })
      )
    })
  )
})
