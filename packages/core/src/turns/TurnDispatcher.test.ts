import { assert, describe, it } from "@effect/vitest"
import { RequestId } from "@rejoin/contracts/Ids"
import { Deferred, Effect, Fiber, Option, Stream } from "effect"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { ProviderService } from "../ProviderService.ts"
import { layerInMemoryAdapter } from "../testing/InMemoryAdapter.ts"
import { event, failureOf, makeWorld, openThread, say, sendHeld, settled } from "../testing/World.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { Threads } from "../threads/Threads.ts"

describe("turns", () => {
  it.effect(
    "S10, N8: a turn is in the database before the provider sees it, and the same key is the same turn",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const id = yield* openThread()
            const service = yield* ProviderService
            const held = yield* Deferred.make<void>()
            world.upstream.faults.holdsStart = held
            const first = yield* service.send(id, { input: "one", idempotencyKey: "k" })
            assert.isTrue(Option.isSome(yield* world.store.getTurn(first.id)))
            assert.lengthOf(world.upstream.asked, 0)
            yield* Deferred.succeed(held, undefined)
            const again = yield* service.send(id, { input: "one", idempotencyKey: "k" })
            assert.strictEqual(again.id, first.id)
            const other = yield* Effect.exit(service.send(id, { input: "two", idempotencyKey: "k" }))
            assert.strictEqual(failureOf(other)?._tag, "IdempotencyConflict")
            assert.strictEqual((yield* service.awaitSettled(id, first.id)).output, "one")
            assert.lengthOf(world.upstream.asked, 1)
          })
        )
      })
  )

  it.effect("N8: the same key and text with another file is another turn, and refused; a steer's too", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const service = yield* ProviderService
          const look = (data: string, delivery: "queue" | "steer", idempotencyKey: string) =>
            service.send(id, {
              input: "look",
              attachments: [{ name: "a.png", mediaType: "image/png", data }],
              delivery,
              idempotencyKey
            })
          yield* sendHeld(id)
          for (const delivery of ["queue", "steer"] as const) {
            const first = yield* look("AAAA", delivery, delivery)
            assert.strictEqual((yield* look("AAAA", delivery, delivery)).id, first.id)
            const other = yield* Effect.exit(look("BBBB", delivery, delivery))
            assert.strictEqual(failureOf(other)?._tag, "IdempotencyConflict")
          }
        })
      )
    })
  )

  it.effect("a steer joins the running turn; without one it starts one", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const service = yield* ProviderService
          const running = yield* sendHeld(id)
          const steered = yield* service.send(id, { input: "left", delivery: "steer", idempotencyKey: "s" })
          assert.strictEqual(steered.id, running)
          assert.deepEqual(
            steered.steers.map(({ input }) => input),
            ["left"]
          )
          const again = yield* service.send(id, { input: "left", delivery: "steer", idempotencyKey: "s" })
          assert.strictEqual(again.id, running)
          assert.deepEqual(world.upstream.history("mem_1"), ["hold", "left"])
          yield* service.interrupt(id)
          const alone = yield* service.send(id, { input: "right", delivery: "steer" })
          assert.notStrictEqual(alone.id, running)
          assert.strictEqual((yield* settled(id, alone.id)).output, "hold | left | right")
        })
      )
    })
  )

  it.effect("interrupt settles the running turn once, and what is queued goes on", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const service = yield* ProviderService
          const running = yield* sendHeld(id)
          const queued = yield* service.send(id, { input: "next" })
          yield* service.interrupt(id)
          assert.strictEqual((yield* settled(id, running)).status, "interrupted")
          assert.strictEqual((yield* settled(id, queued.id)).output, "hold | next")
          yield* service.interrupt(id)
        })
      )
    })
  )

  it.effect("a model's failure is on the turn and the thread, and the thread goes on", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const threads = yield* Threads
          const failed = yield* say(id, "fail")
          assert.strictEqual(failed.status, "failed")
          assert.strictEqual((yield* threads.get(id)).lastError?._tag, "ProviderFailed")
          assert.strictEqual((yield* say(id, "one")).status, "completed")
          assert.isUndefined((yield* threads.get(id)).lastError)
        })
      )
    })
  )

  it.effect("approvals and questions wait, are answered once, and are gone when their turn ends", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const service = yield* ProviderService
          const threads = yield* Threads
          const store = yield* ThreadStore
          const pending = Effect.map(store.listRequests(id), (open) => open[0]?.id ?? RequestId.make("none"))

          const write = yield* service.send(id, { input: "write a" })
          yield* event(id, "request.opened")
          assert.deepInclude(yield* threads.get(id), { pendingRequests: 1, status: "running" })
          assert.strictEqual((yield* threads.get(id)).session.state, "waiting")
          const wrong = yield* Effect.exit(service.answer(id, yield* pending, { answers: [["A"]] }))
          assert.strictEqual(failureOf(wrong)?._tag, "InvalidInput")
          const answered = yield* pending
          yield* service.answer(id, answered, { decision: "accept" })
          assert.strictEqual((yield* settled(id, write.id)).output, "wrote a")
          const twice = yield* Effect.exit(service.answer(id, answered, { decision: "accept" }))
          assert.strictEqual(failureOf(twice)?._tag, "RequestNotFound")

          const question = yield* service.send(id, { input: "ask" })
          yield* event(id, "user-input.opened")
          yield* service.answer(id, yield* pending, { answers: [["B"]] })
          assert.strictEqual((yield* settled(id, question.id)).output, "B")

          const dropped = yield* service.send(id, { input: "ask again" })
          yield* event(id, "user-input.opened", ({ turnId }) => turnId === dropped.id)
          yield* service.interrupt(id)
          assert.strictEqual((yield* threads.get(id)).pendingRequests, 0)
        })
      )
    })
  )

  it.effect("C20, T1: two threads on one provider share nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const [one, two] = [yield* openThread({ cwd: "/one" }), yield* openThread({ cwd: "/two" })]
          for (let i = 0; i < 5; i++) {
            const outputs = yield* Effect.all([say(one, "run pwd"), say(two, "run pwd")], { concurrency: 2 })
            assert.deepEqual(
              outputs.map(({ output }) => output),
              ["/one", "/two"]
            )
          }
          assert.strictEqual(world.upstream.sessions.size, 2)
        })
      )
    })
  )
})

describe("a provider that breaks", () => {
  it.effect(
    "C19, C30: a crash in mid-turn interrupts the turn, emits one session.exited, and the next turn has the history",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const id = yield* openThread()
            const service = yield* ProviderService
            const running = yield* sendHeld(id)
            yield* Effect.all([world.upstream.crash, Effect.exit(service.stop(id))], { concurrency: 2 })
            const turn = yield* settled(id, running)
            assert.strictEqual(turn.status, "interrupted")
            assert.strictEqual((yield* say(id, "next")).output, "hold | next")
            const events = yield* world.store.readEvents({ threadId: id, afterSeq: 0 }, 1000)
            assert.lengthOf(
              events.filter(({ type }) => type === "session.exited"),
              1
            )
          })
        )
        assert.strictEqual(world.upstream.open, 0)
      })
  )

  it.effect("law 6: a send that is proved not to have arrived is sent once more", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          world.upstream.faults.failsSend = { times: 1, arrives: false, certain: true }
          assert.strictEqual((yield* say(id, "two")).output, "one | two")
          world.upstream.faults.failsSend = { times: 2, arrives: false, certain: true }
          const failed = yield* say(id, "three")
          assert.deepInclude(failed, { status: "failed" })
          assert.deepEqual(world.upstream.history("mem_1"), ["one", "two"])
        })
      )
    })
  )

  it.effect("law 6: a send that broke but arrived is never sent again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          world.upstream.faults.failsSend = { times: 1, arrives: true }
          assert.strictEqual((yield* say(id, "two")).status, "interrupted")
          assert.strictEqual((yield* say(id, "three")).output, "one | two | three")
        })
      )
    })
  )

  it.effect("stop ends the session and what waits; without a session it is a typed error (S15)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const service = yield* ProviderService
          const running = yield* sendHeld(id)
          const queued = yield* service.send(id, { input: "queued" })
          yield* service.stop(id)
          assert.strictEqual((yield* settled(id, running)).status, "interrupted")
          assert.strictEqual((yield* settled(id, queued.id)).status, "interrupted")
          assert.strictEqual(world.upstream.open, 0)
          assert.strictEqual(failureOf(yield* Effect.exit(service.stop(id)))?._tag, "SessionNotRunning")
        })
      )
    })
  )
})

describe("what may not happen during a turn", () => {
  it.effect("move, reset, mode and model, and deletion are refused with ThreadBusy", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          const service = yield* ProviderService
          const threads = yield* Threads
          yield* sendHeld(id)
          const refusals = [
            yield* Effect.exit(service.move(id, "/tree")),
            yield* Effect.exit(service.reset(id)),
            yield* Effect.exit(service.update(id, { runtimeMode: "full-access" })),
            yield* Effect.exit(threads.remove(id))
          ]
          assert.deepEqual(
            refusals.map((exit) => failureOf<unknown, { readonly _tag: string }>(exit)?._tag),
            ["ThreadBusy", "ThreadBusy", "ThreadBusy", "ThreadBusy"]
          )
          yield* service.update(id, { title: "a title may change" })
          assert.strictEqual((yield* threads.get(id)).title, "a title may change")
        })
      )
    })
  )

  it.effect("a graceful end of the server brings its running turn back as interrupted", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [id, turnId] = yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          return [id, yield* sendHeld(id)] as const
        })
      )
      assert.strictEqual(Option.getOrThrow(yield* world.store.getTurn(turnId)).status, "interrupted")
      assert.strictEqual(world.upstream.open, 0)
      assert.strictEqual((yield* world.life(say(id, "next"))).output, "hold | next")
    })
  )
})

describe("threads", () => {
  it.effect("T1, S19: the same key is the same thread, also for two requests at once", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const threads = yield* Threads
          const key = { agent: "memory", external: "telegram:1" }
          const create = Effect.suspend(() =>
            threads.create({ provider: "memory" as never, cwd: "/work", key })
          )
          const made = yield* Effect.all([create, create, create], { concurrency: 3 })
          assert.strictEqual(new Set(made.map(({ thread }) => thread.id)).size, 1)
          assert.lengthOf(
            made.filter(({ created }) => created),
            1
          )
        })
      )
    })
  )

  it.effect("S6: what a request may not set in the environment is left out, in any case, and told", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const threads = yield* Threads
          const { thread } = yield* threads.create({
            provider: "memory" as never,
            cwd: "/work",
            extraEnv: { FOO: "1", anthropic_api_key: "x", LD_PRELOAD: "y", Path: "z" }
          })
          assert.deepEqual((yield* threads.record(thread.id)).extraEnv, { FOO: "1" })
          const warned = yield* event(thread.id, "warning")
          assert.include(JSON.stringify(warned.data), "anthropic_api_key, LD_PRELOAD, Path")
        })
      )
    })
  )

  it.effect(
    "C36: instances come and go while running; a thread of one that is gone gets ProviderNotFound",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* world.life(
          Effect.gen(function* () {
            const registry = yield* ProviderRegistry
            const id = yield* openThread()
            yield* say(id, "one")
            const service = yield* ProviderService
            yield* service.stop(id)
            yield* registry.remove("memory" as never)
            assert.strictEqual((yield* say(id, "two")).error?._tag, "ProviderNotFound")
            yield* registry.add(layerInMemoryAdapter(world.upstream))
            assert.strictEqual((yield* say(id, "three")).output, "one | three")
          })
        )
      })
  )

  it.effect("a snapshot has what streams, and events go on after it without a gap or a double", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          const threads = yield* Threads
          const events = yield* ThreadEvents
          const { items, thread } = yield* threads.snapshot(id, 100)
          assert.deepEqual(
            items.map(({ kind }) => kind),
            ["user-message", "assistant-message"]
          )
          assert.strictEqual(items[1]?.text, "one")
          const rest = yield* events.follow(id, thread.lastSeq).pipe(
            Stream.takeUntil(({ type }) => type === "turn.completed"),
            Stream.runCollect,
            Effect.forkChild
          )
          yield* say(id, "two")
          const seqs = (yield* Fiber.join(rest)).map(({ seq }) => seq)
          assert.strictEqual(seqs[0], thread.lastSeq + 1)
          assert.deepEqual(
            seqs,
            seqs.map((_, i) => thread.lastSeq + 1 + i)
          )
          const sessions = yield* LiveSessions
          assert.lengthOf(sessions.list(), 1)
        })
      )
    })
  )
})
