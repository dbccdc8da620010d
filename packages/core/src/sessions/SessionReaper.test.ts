import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import { AdapterEvent } from "../providers/AdapterEvent.ts"
import { LiveSessions } from "./LiveSessions.ts"
import { ProviderService } from "../ProviderService.ts"
import { quietAfter } from "./Quiet.ts"
import { SessionReaper, verdict } from "./SessionReaper.ts"
import { isStalled } from "./StalledTurns.ts"
import { event, makeWorld, openThread, say, sendHeld } from "../testing/World.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"

const minutes = (count: number) => count * 60_000

/** Lets time pass as it does: a sweep every five minutes. */
const pass = Effect.fnUntraced(function* (count: number) {
  const reaper = yield* SessionReaper
  let reaped = 0
  for (let i = 0; i < count / 5; i++) {
    yield* TestClock.adjust("5 minutes")
    reaped += yield* reaper.sweep
  }
  return reaped
})

describe("the reaper", () => {
  it("C35: a machine's sleep counts as two sweeps at most", () => {
    assert.strictEqual(quietAfter(0, minutes(600), false, minutes(5)), minutes(10))
    assert.strictEqual(quietAfter(minutes(10), minutes(5), false, minutes(5)), minutes(15))
    assert.strictEqual(quietAfter(minutes(25), minutes(5), true, minutes(5)), 0)
  })

  it("law 8: the verdict never gives up work, defers for background work up to a cap, then says so", () => {
    const limits = { idle: 30, defer: 100 }
    const idle = { busy: false, background: false, idle: 30, deferred: 0 }
    assert.strictEqual(verdict(idle, limits), "reap")
    assert.strictEqual(verdict({ ...idle, idle: 29 }, limits), "keep")
    assert.strictEqual(verdict({ ...idle, busy: true, idle: 1e9 }, limits), "keep")
    assert.strictEqual(verdict({ ...idle, background: true }, limits), "defer")
    assert.strictEqual(verdict({ ...idle, background: true, deferred: 100 }, limits), "reap-background")
  })

  it.effect(
    "C34, C22: an idle session is reaped after 30 minutes, and its next turn has the whole conversation",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const id = yield* openThread()
            yield* say(id, "one")
            assert.strictEqual(yield* pass(30), 0)
            assert.strictEqual(yield* pass(5), 1)
            assert.strictEqual(world.upstream.open, 0)
            const events = yield* ThreadEvents
            yield* events.follow(id, 0).pipe(
              Stream.takeUntil(({ type }) => type === "session.reaped"),
              Stream.runDrain
            )
            assert.strictEqual((yield* say(id, "two")).output, "one | two")
            assert.strictEqual(world.upstream.sessions.size, 1)
          })
        )
      })
  )

  it.effect("C34: a running turn and a pending request are never reaped", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const [running, asking] = [yield* openThread(), yield* openThread()]
          const service = yield* ProviderService
          const events = yield* ThreadEvents
          yield* service.send(running, { input: "hold" })
          yield* service.send(asking, { input: "write x" })
          yield* events.follow(running, 0).pipe(
            Stream.takeUntil(({ type }) => type === "turn.started"),
            Stream.runDrain
          )
          yield* events.follow(asking, 0).pipe(
            Stream.takeUntil(({ type }) => type === "request.opened"),
            Stream.runDrain
          )
          assert.strictEqual(yield* pass(600), 0)
        })
      )
    })
  )

  it.effect("C34: background work defers the reaping up to the cap, then a warning is told", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          world.upstream.faults.background = true
          assert.strictEqual(yield* pass(240), 0)
          assert.strictEqual(yield* pass(60), 1)
          const events = yield* ThreadEvents
          const warning = yield* events.follow(id, 0).pipe(
            Stream.filter(({ type }) => type === "warning"),
            Stream.runHead
          )
          assert.include(JSON.stringify(Option.getOrThrow(warning).data), "background")
        })
      )
    })
  )

  it.effect("500 threads created, bound and reaped leave nothing behind but their bindings", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const sessions = yield* LiveSessions
          for (let i = 0; i < 500; i++) yield* Effect.flatMap(openThread(), (id) => say(id, "one"))
          assert.lengthOf(sessions.list(), 500)
          assert.strictEqual(yield* pass(35), 500)
          assert.lengthOf(sessions.list(), 0)
          assert.strictEqual(world.upstream.open, 0)
          assert.lengthOf(yield* world.store.listThreads({ limit: 1000 }), 500)
        })
      )
    })
  )
})

describe("C35: a clock that jumps", () => {
  it.effect("back or far ahead: no session is reaped for it, and turns go on", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const reaper = yield* SessionReaper
          const start = yield* Clock.currentTimeMillis
          const id = yield* openThread()
          yield* say(id, "one")
          yield* pass(10)
          yield* TestClock.setTime(start - minutes(600))
          assert.strictEqual(yield* reaper.sweep, 0)
          assert.strictEqual((yield* say(id, "two")).output, "one | two")
          yield* reaper.sweep
          yield* TestClock.setTime(start + minutes(6000))
          assert.strictEqual(yield* reaper.sweep, 0)
          assert.strictEqual((yield* say(id, "three")).output, "one | two | three")
          assert.strictEqual(world.upstream.open, 1)
        })
      )
    })
  )
})

describe("S5: a turn that is silent", () => {
  it("is told once, and not while somebody is asked", () => {
    const silent = { running: true, asking: false, told: false, quiet: 15 }
    assert.isTrue(isStalled(silent, 15))
    assert.isFalse(isStalled({ ...silent, quiet: 14 }, 15))
    assert.isFalse(isStalled({ ...silent, told: true }, 15))
    assert.isFalse(isStalled({ ...silent, asking: true }, 15))
    assert.isFalse(isStalled({ ...silent, running: false }, 15))
  })

  it.effect("after 15 minutes, and again after it has moved; it is left alone", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const events = yield* ThreadEvents
          const id = yield* openThread()
          const turnId = yield* sendHeld(id)
          const told = Effect.andThen(
            events.flush,
            Effect.map(
              world.store.readEvents({ threadId: id, afterSeq: 0 }, 999),
              (all) => all.filter(({ type }) => type === "session.stalled").length
            )
          )
          yield* pass(15)
          assert.strictEqual(yield* told, 0)
          yield* pass(5)
          assert.strictEqual(yield* told, 1)
          assert.strictEqual((yield* event(id, "session.stalled")).turnId, turnId)
          yield* pass(60)
          assert.strictEqual(yield* told, 1)
          world.upstream.tell(AdapterEvent.Warning({ message: "still there" }))
          yield* TestClock.adjust("1 second")
          yield* event(id, "warning")
          yield* pass(20)
          assert.strictEqual(yield* told, 2)
          const service = yield* ProviderService
          yield* service.interrupt(id)
          yield* pass(60)
          assert.strictEqual(yield* told, 2)
        })
      )
    })
  )
})

describe("S21: two sessions that write the same file", () => {
  it.effect("both are told, with its path; one alone is not", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const [a, b] = [
            yield* openThread({ runtimeMode: "full-access" }),
            yield* openThread({ runtimeMode: "full-access" })
          ]
          yield* say(a, "write x.txt")
          yield* say(a, "write x.txt")
          yield* say(b, "write y.txt")
          yield* say(b, "write /work/x.txt")
          for (const id of [a, b]) {
            const { data } = yield* event(id, "warning")
            assert.deepInclude(data as object, { path: "/work/x.txt", threads: [id === a ? b : a] })
          }
        })
      )
    })
  )
})
