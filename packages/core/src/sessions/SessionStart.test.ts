import { ProviderSessionId } from "@rejoin/contracts/Ids"
import { assert, describe, it } from "@effect/vitest"
import { known, unknown } from "@rejoin/contracts/Fact"
import { Deferred, Effect, Fiber, Option } from "effect"
import { LiveSessions } from "./LiveSessions.ts"
import { Probe } from "../plan/Probe.ts"
import { TranscriptKeeper } from "../transcripts/TranscriptKeeper.ts"
import { ProviderService } from "../ProviderService.ts"
import { inMemoryCursor } from "../testing/InMemoryAdapter.ts"
import { failureOf, makeWorld, openThread, say } from "../testing/World.ts"
import { Threads } from "../threads/Threads.ts"

const has = (actual: object | undefined, expected: Readonly<Record<string, unknown>>) =>
  assert.deepInclude(actual, expected)

const receipts = Effect.fnUntraced(function* (
  world: Effect.Success<ReturnType<typeof makeWorld>>,
  id: Parameters<typeof say>[0]
) {
  return yield* world.store.listReceipts(id, { limit: 100 })
})

const nothingHeld = { keep: false, maxBytes: 0 }

describe("a thread across the lives of its server", () => {
  it.effect("C1, C2, C3, C4, C22: the next life adopts the stored session and its history", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const id = yield* world.life(Effect.tap(openThread(), (id) => say(id, "my name is Ada")))
      const turn = yield* world.life(say(id, "who am I"))
      assert.strictEqual(turn.output, "my name is Ada | who am I")
      assert.strictEqual(world.upstream.sessions.size, 1)
      const [newest, oldest] = yield* receipts(world, id)
      has(newest, { outcome: "adopted", cwdVerified: "/work", runtimeModeVerified: "approval-required" })
      has(oldest, { outcome: "created", providerSessionIdBefore: null })
      const binding = Option.getOrThrow(yield* world.store.getBinding(id))
      has(binding, { prior: "some", generation: 2, cursor: inMemoryCursor(world.upstream, "mem_1") })
    })
  )

  it.effect(
    "C6: what is not a cursor means no resume: no probe, no throw, and a history is never dropped silently",
    () =>
      Effect.gen(function* () {
        for (const cursor of [
          null,
          [],
          {},
          "",
          1,
          { v: 2 },
          { v: 1, driver: "codex" },
          { v: 1, driver: "memory", providerSessionId: "  " }
        ]) {
          const world = yield* makeWorld({ transcripts: nothingHeld })
          const id = yield* world.life(Effect.tap(openThread(), (id) => say(id, "one")))
          const binding = Option.getOrThrow(yield* world.store.getBinding(id))
          yield* world.store.saveBinding({ ...binding, cursor })
          // A probe would say that it is there.
          const turn = yield* world.life(say(id, "two"))
          assert.strictEqual(turn.output, "two")
          const [receipt] = yield* receipts(world, id)
          has(receipt, {
            outcome: "replaced",
            providerSessionIdBefore: "mem_1",
            providerSessionIdAfter: "mem_2"
          })
          assert.lengthOf(yield* world.store.listLineage(id), 1)
        }
      })
  )

  it.effect("C6: an id with blanks around it is trimmed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const id = yield* world.life(Effect.tap(openThread(), (id) => say(id, "one")))
      const binding = Option.getOrThrow(yield* world.store.getBinding(id))
      yield* world.store.saveBinding({ ...binding, cursor: inMemoryCursor(world.upstream, " mem_1 ") })
      assert.strictEqual((yield* world.life(say(id, "two"))).output, "one | two")
    })
  )

  it.effect("C5, C32, N3: a history that is gone is replaced visibly, and the old cursor is kept", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ transcripts: nothingHeld })
      const id = yield* world.life(Effect.tap(openThread(), (id) => say(id, "one")))
      world.upstream.delete("mem_1")
      const turn = yield* world.life(say(id, "two"))
      has(turn, { status: "completed", output: "two" })
      const [receipt] = yield* receipts(world, id)
      has(receipt, { outcome: "replaced", providerSessionIdBefore: "mem_1", providerSessionIdAfter: "mem_2" })
      const [old] = yield* world.store.listLineage(id)
      has(old, { providerSessionId: "mem_1", cursor: inMemoryCursor(world.upstream, "mem_1") })
    })
  )

  it.effect("law 2: with onLost refuse the thread fails visibly, and a reset un-wedges it (T5, T6)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ onLost: "refuse", transcripts: nothingHeld })
      const id = yield* world.life(Effect.tap(openThread(), (id) => say(id, "one")))
      world.upstream.delete("mem_1")
      yield* world.life(
        Effect.gen(function* () {
          const refused = yield* say(id, "two")
          assert.strictEqual(refused.status, "failed")
          assert.strictEqual(refused.error?._tag, "UpstreamLost")
          assert.strictEqual(world.upstream.sessions.size, 0)
          const service = yield* ProviderService
          yield* service.reset(id)
          assert.isTrue(Option.getOrThrow(yield* world.store.getBinding(id)).resetRequested)
          assert.isTrue((yield* (yield* Threads).get(id)).session.startsAnew)
          assert.strictEqual((yield* say(id, "three")).output, "three")
        })
      )
      const [latest, refusal] = yield* receipts(world, id)
      has(latest, { outcome: "replaced", providerSessionIdAfter: "mem_2", reason: "the thread was reset" })
      has(refusal, { outcome: "refused" })
      const binding = Option.getOrThrow(yield* world.store.getBinding(id))
      has(binding, { resetRequested: false, providerSessionId: "mem_2" })
    })
  )

  it.effect("T6: a reset is consumed only once the fresh session is stored", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const id = yield* world.life(Effect.tap(openThread(), (id) => say(id, "one")))
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          yield* service.reset(id)
          world.upstream.faults.failsAfterCreate = true
          assert.strictEqual((yield* say(id, "two")).status, "failed")
          const binding = Option.getOrThrow(yield* world.store.getBinding(id))
          has(binding, { resetRequested: true, providerSessionId: "mem_1" })
        })
      )
    })
  )

  it.effect("N2: a transcript that we hold is restored instead", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const id = yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          yield* Effect.flatMap(TranscriptKeeper, ({ keep }) => keep(id))
          return id
        })
      )
      world.upstream.delete("mem_1")
      assert.strictEqual((yield* world.life(say(id, "two"))).output, "one | two")
      const [receipt] = yield* receipts(world, id)
      has(receipt, { outcome: "rehydrated", providerSessionIdAfter: ProviderSessionId.make("mem_1") })
      assert.isTrue(receipt?.restored?.whole)
      assert.isNotNull(receipt?.restored?.upToTurnId)
    })
  )

  it.effect("W11: a copy that ends before the last turn is restored as what it is, and that is told", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const id = yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          return id
        })
      )
      const held = Option.getOrThrow(yield* world.store.transcripts.get(id))
      const files = yield* world.store.transcripts.read(id)
      yield* world.life(say(id, "two"))
      // As it was before: what came after was never copied.
      const pieces = [...files].map(([file, data]) => ({ file, from: 0, data }))
      yield* world.store.transcripts.append(held, pieces, null)
      world.upstream.delete("mem_1")
      assert.strictEqual((yield* world.life(say(id, "three"))).output, "one | three")
      const [receipt] = yield* receipts(world, id)
      has(receipt, { outcome: "rehydrated" })
      assert.isFalse(receipt?.restored?.whole)
    })
  )

  it.effect("W5: a copy that cannot be read restores nothing, and does not pass for none", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const id = yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          yield* Effect.flatMap(TranscriptKeeper, ({ keep }) => keep(id))
          return id
        })
      )
      const head = Option.getOrThrow(yield* world.store.transcripts.get(id))
      yield* world.store.transcripts.append({ ...head, hash: "another" }, [], head.hash)
      world.upstream.delete("mem_1")
      const turn = yield* world.life(say(id, "two"))
      assert.deepInclude({ ...turn.error }, { _tag: "StoreFailed" })
      assert.isEmpty([...world.upstream.sessions.keys()])
    })
  )

  it.effect(
    "C8, C9, C10, C24, C33: an inconclusive probe is an error; nothing is created, and the binding stays",
    () =>
      Effect.gen(function* () {
        const cases = [
          [Probe.Inconclusive({ evidence: { status: 500, body: "session not found" } }), "ProbeInconclusive"],
          [Probe.Unavailable({ cause: "ECONNREFUSED" }), "ProviderUnavailable"],
          [Probe.WrongStore({ expected: "a", actual: "b" }), "WrongStore"],
          [Probe.Corrupt({ evidence: "garbage" }), "UpstreamCorrupt"],
          [Probe.Ambiguous({ candidates: ["a", "b"] }), "ProbeInconclusive"]
        ] as const
        for (const [probe, tag] of cases) {
          const world = yield* makeWorld()
          const id = yield* world.life(Effect.tap(openThread(), (id) => say(id, "one")))
          yield* world.life(
            Effect.gen(function* () {
              world.upstream.faults.probe = probe
              const turn = yield* say(id, "two")
              assert.strictEqual(turn.error?._tag, tag)
              assert.strictEqual(world.upstream.sessions.size, 1)
              delete world.upstream.faults.probe
              assert.strictEqual((yield* say(id, "three")).output, "one | three")
            })
          )
          const [, refusal] = yield* receipts(world, id)
          has(refusal, { outcome: "refused", verification: "failed", cwdVerified: null })
        }
      })
  )

  it.effect("an absence that shows only in the act is planned once more, and only once", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ transcripts: nothingHeld })
      const id = yield* world.life(Effect.tap(openThread(), (id) => say(id, "one")))
      world.upstream.faults.actProbe = Probe.NotFound({ evidence: "the spawn said so" })
      yield* world.life(say(id, "two"))
      assert.strictEqual((yield* receipts(world, id))[0]?.outcome, "replaced")
      world.upstream.faults.actProbe = Probe.Inconclusive({ evidence: "busy" })
      const refused = yield* world.life(say(id, "three"))
      assert.strictEqual(refused.error?._tag, "ProbeInconclusive")
      assert.strictEqual(world.upstream.sessions.size, 2)
    })
  )
})

describe("the right directory and the right powers", () => {
  it.effect(
    "C12, C13: a move carries the history; the new id is the cursor, and the permissions hold there",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const id = yield* openThread({ runtimeMode: "read-only" })
            yield* say(id, "one")
            const service = yield* ProviderService
            const receipt = yield* service.move(id, "/tree")
            has(receipt, { outcome: "forked", cwdVerified: "/tree", runtimeModeVerified: "read-only" })
            assert.strictEqual((yield* say(id, "run pwd")).output, "/tree")
            assert.strictEqual((yield* say(id, "write x")).output, "denied")
            assert.deepEqual(world.upstream.writes, [])
            const threads = yield* Threads
            assert.strictEqual((yield* threads.get(id)).cwd, "/tree")
          })
        )
      })
  )

  it.effect(
    "C29: a session that comes back in another directory is refused, and what was made for it is undone",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const id = yield* openThread()
            yield* say(id, "one")
            world.upstream.faults.directory = "/elsewhere"
            const service = yield* ProviderService
            const moved = yield* Effect.exit(service.move(id, "/tree"))
            assert.strictEqual(failureOf(moved)?._tag, "DirectoryMismatch")
            assert.deepEqual([...world.upstream.sessions.keys()], ["mem_1"])
            delete world.upstream.faults.directory
            const threads = yield* Threads
            assert.strictEqual((yield* threads.get(id)).cwd, "/work")
            assert.strictEqual((yield* say(id, "two")).output, "one | two")
          })
        )
      })
  )

  it.effect("C12: a fork that comes without the history is refused", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          world.upstream.faults.forgetsOnFork = true
          const service = yield* ProviderService
          const moved = yield* Effect.exit(service.move(id, "/tree"))
          assert.strictEqual(failureOf(moved)?._tag, "HistoryMismatch")
        })
      )
    })
  )

  it.effect("C11, C25: powers that do not take are an error; a fork made for them is cleaned up", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const id = yield* world.life(
        Effect.tap(openThread({ runtimeMode: "full-access" }), (id) => say(id, "one"))
      )
      world.upstream.faults.ignoresMode = true
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          yield* service.update(id, { runtimeMode: "read-only" })
          const turn = yield* say(id, "write x")
          assert.strictEqual(turn.error?._tag, "PermissionMismatch")
          assert.deepEqual(world.upstream.writes, [])
        })
      )
      delete world.upstream.faults.ignoresMode
      world.upstream.faults.failsAfterCreate = true
      yield* world.life(
        Effect.gen(function* () {
          const service = yield* ProviderService
          yield* Effect.exit(service.move(id, "/tree"))
          assert.deepEqual([...world.upstream.sessions.keys()], ["mem_1"])
        })
      )
    })
  )

  it.effect("a mode switched both ways between turns, live and over a reap, is the mode in force", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread({ runtimeMode: "read-only" })
          const service = yield* ProviderService
          assert.strictEqual((yield* say(id, "write a")).output, "denied")
          yield* service.update(id, { runtimeMode: "full-access" })
          assert.strictEqual((yield* say(id, "write b")).output, "wrote b")
          yield* service.stop(id)
          yield* service.update(id, { runtimeMode: "read-only" })
          assert.strictEqual((yield* say(id, "write c")).output, "denied")
          assert.deepEqual(world.upstream.writes, [{ directory: "/work", path: "b" }])
        })
      )
    })
  )

  it.effect(
    "facts that the upstream does not tell are null on the receipt, never a copy of the request",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        world.upstream.faults.ignoresMode = true
        yield* world.life(Effect.tap(openThread(), (id) => say(id, "one")))
        const threads = yield* world.store.listThreads({ limit: 1 })
        const [receipt] = threads[0] ? yield* receipts(world, threads[0].id) : []
        has(receipt, { runtimeModeVerified: null, verification: "pending" })
        has(
          receipt?.checks.find(({ what }) => what === "mode"),
          { found: unknown("not-yet") }
        )
        has(
          receipt?.checks.find(({ what }) => what === "cwd"),
          { found: known("/work", "answer") }
        )
      })
  )
})

describe("starts that race, fail or are given up", () => {
  it.effect(
    "C16, C25, C18: a start that fails after it created undoes exactly that, and leaves no connection",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const id = yield* openThread()
            world.upstream.faults.failsAfterCreate = true
            const turn = yield* say(id, "one")
            has(turn, { status: "failed" })
            assert.deepEqual(world.upstream.deleted, ["mem_1"])
            assert.strictEqual(world.upstream.open, 0)
            assert.deepEqual(yield* world.store.listIntents("ours"), [])
          })
        )
      })
  )

  it.effect("law 7: a start whose undo fails is undone by the next life, and adopted sessions stay", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const id = yield* world.life(Effect.tap(openThread(), (id) => say(id, "one")))
      world.upstream.faults.failsAfterCreate = true
      world.upstream.faults.failsUndo = true
      yield* world.life(Effect.flatMap(ProviderService, (service) => Effect.exit(service.move(id, "/tree"))))
      assert.strictEqual(world.upstream.sessions.size, 2)
      assert.lengthOf(yield* world.store.listIntents("ours"), 1)
      delete world.upstream.faults.failsAfterCreate
      delete world.upstream.faults.failsUndo
      assert.strictEqual((yield* world.life(say(id, "two"))).output, "one | two")
      assert.deepEqual([...world.upstream.sessions.keys()], ["mem_1"])
      assert.deepEqual(yield* world.store.listIntents("ours"), [])
    })
  )

  it.effect("law 6: interrupt pre-empts a start, which undoes its own; the turn is interrupted", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const service = yield* ProviderService
          world.upstream.faults.holdsStart = yield* Deferred.make<void>()
          const accepted = yield* service.send(id, { input: "one" })
          yield* Deferred.await(world.upstream.started)
          yield* service.interrupt(id)
          assert.strictEqual((yield* service.awaitSettled(id, accepted.id)).status, "interrupted")
          delete world.upstream.faults.holdsStart
          assert.deepEqual(yield* world.store.listIntents("ours"), [])
          assert.strictEqual((yield* say(id, "two")).output, "two")
        })
      )
    })
  )

  it.effect(
    "S7: a move while a session is being started gets StartInProgress or ThreadBusy, and changes nothing",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const id = yield* openThread()
            const service = yield* ProviderService
            const held = yield* Deferred.make<void>()
            world.upstream.faults.holdsStart = held
            const first = yield* Effect.forkChild(service.start(id))
            yield* Deferred.await(world.upstream.started)
            const second = yield* Effect.exit(service.move(id, "/tree"))
            assert.strictEqual(failureOf(second)?._tag, "StartInProgress")
            yield* Deferred.succeed(held, undefined)
            assert.strictEqual((yield* Fiber.join(first)).outcome, "created")
            assert.strictEqual(world.upstream.sessions.size, 1)
          })
        )
      })
  )

  it.effect(
    "C16, C26, C27, law 5: a start that a later generation overtook writes nothing and undoes only its own",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const id = yield* world.life(Effect.tap(openThread(), (id) => say(id, "one")))
        yield* world.life(
          Effect.gen(function* () {
            const service = yield* ProviderService
            const held = yield* Deferred.make<void>()
            world.upstream.faults.holdsStart = held
            const losing = yield* Effect.forkChild(Effect.exit(service.move(id, "/tree")))
            yield* Deferred.await(world.upstream.started)
            // Another server starts the same thread meanwhile.
            yield* world.store.nextGeneration(id)
            yield* Deferred.succeed(held, undefined)
            assert.strictEqual(failureOf(yield* Fiber.join(losing))?._tag, "StaleGeneration")
            assert.deepEqual([...world.upstream.sessions.keys()], ["mem_1"])
            has(world.upstream.sessions.get("mem_1"), { directory: "/work", mode: "approval-required" })
          })
        )
      })
  )

  it.effect("law 5: a second thread never gets an upstream session that another has", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const first = yield* openThread()
          const second = yield* openThread()
          yield* say(first, "one")
          yield* say(second, "two")
          const binding = Option.getOrThrow(yield* world.store.getBinding(second))
          const taken = yield* Effect.exit(
            world.store.saveBinding({ ...binding, providerSessionId: "mem_1" as never })
          )
          assert.strictEqual(failureOf(taken)?._tag, "SessionHeldElsewhere")
        })
      )
    })
  )

  it.effect("C27: two turns at once on a new thread make one session and run one after the other (T2)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const turns = yield* Effect.all([say(id, "one"), say(id, "two")], { concurrency: 2 })
          assert.deepEqual(
            turns.map(({ output }) => output),
            ["one", "one | two"]
          )
          assert.strictEqual(world.upstream.sessions.size, 1)
          const sessions = yield* LiveSessions
          assert.lengthOf(sessions.list(), 1)
        })
      )
      assert.strictEqual(world.upstream.open, 0)
    })
  )
})
