import { assert, describe, it } from "@effect/vitest"
import { ItemId } from "@rejoin/contracts/Ids"
import { Duration, Effect, Fiber, Option, Stream } from "effect"
import { AdapterEvent } from "../providers/AdapterEvent.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { ProviderService } from "../ProviderService.ts"
import { makeWorld, memory, openThread, sendHeld } from "../testing/World.ts"
import { Threads } from "./Threads.ts"

const modeOf = (id: Parameters<Threads["Service"]["get"]>[0]) =>
  Effect.map(
    Effect.flatMap(Threads, (threads) => threads.get(id)),
    ({ runtimeMode }) => runtimeMode
  )

describe("S14: what a request leaves out comes from the settings", () => {
  it.effect("the mode of a new thread; what the request says wins", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ runtimeMode: "read-only" })
      yield* world.life(
        Effect.gen(function* () {
          const threads = yield* Threads
          const { thread } = yield* threads.create({ provider: memory, cwd: "/work" })
          assert.strictEqual(yield* modeOf(thread.id), "read-only")
          assert.strictEqual(yield* modeOf(yield* openThread({ runtimeMode: "full-access" })), "full-access")
        })
      )
    })
  )

  it.effect(
    "the system prompt, which stays with its thread; a provider that takes none does without, or refuses",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ systemPrompt: "Be brief." })
        yield* world.life(
          Effect.gen(function* () {
            const threads = yield* Threads
            const promptOf = (systemPrompt?: string) =>
              Effect.map(
                threads.create({ provider: memory, cwd: "/work", ...(systemPrompt && { systemPrompt }) }),
                ({ thread }) => thread.systemPrompt
              )
            assert.strictEqual(yield* promptOf(), "Be brief.")
            assert.strictEqual(yield* promptOf("Be long."), "Be long.")
            world.upstream.capabilities = { ...world.upstream.capabilities, systemPrompt: false }
            assert.isUndefined(yield* promptOf())
            assert.strictEqual((yield* Effect.flip(promptOf("Be long.")))._tag, "CapabilityMissing")
          })
        )
      })
  )

  it.effect("where they say nothing either, it asks", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          assert.strictEqual(yield* modeOf(yield* openThread()), "approval-required")
        })
      )
    })
  )
})

describe("S12: what an agent is at", () => {
  it.effect("its tool is on the thread while it runs, and only then; when it was last active stays", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const threads = yield* Threads
          const service = yield* ProviderService
          const id = yield* openThread()
          yield* sendHeld(id)
          const tool = Effect.map(threads.get(id), ({ session }) => session.runningTool)
          assert.isUndefined(yield* tool)
          const command = { id: ItemId.make("item_1"), kind: "command", command: "make  test\n" } as const
          world.upstream.tell(AdapterEvent.ItemStarted({ item: { ...command, status: "started" } }))
          const became = (told: string | undefined) =>
            Effect.repeat(Effect.andThen(Effect.yieldNow, tool), { until: (tool) => tool === told })
          yield* became("make test")
          world.upstream.tell(AdapterEvent.ItemCompleted({ item: { ...command, status: "completed" } }))
          yield* became(undefined)
          yield* service.interrupt(id)
        })
      )
    })
  )
})

describe("S8: a snapshot and the events after its lastSeq are what happened, once", () => {
  it.effect("whatever is buffered when it is taken, and whatever comes while it is read", () =>
    Effect.gen(function* () {
      const { life, upstream } = yield* makeWorld({ mergeDeltas: Duration.hours(1) })
      yield* life(
        Effect.gen(function* () {
          const threads = yield* Threads
          const events = yield* ThreadEvents
          const id = yield* openThread()
          yield* sendHeld(id)
          const said = (delta: string) =>
            upstream.tell(AdapterEvent.ItemDelta({ itemId: "answer", field: "text", delta }))
          const item = {
            id: ItemId.make("answer"),
            kind: "assistant-message",
            status: "started",
            text: ""
          } as const
          upstream.tell(AdapterEvent.ItemStarted({ item }))
          const words = ["Hello ", "world", ". ", "How ", "are ", "you?"]
          for (const word of words) {
            said(word)
            // Some are read before they are buffered, some after, some between.
            for (let i = 0; i < words.indexOf(word); i++) yield* Effect.yieldNow
            const snapshot = yield* threads.snapshot(id, 200)
            const at = snapshot.items.find((item) => item.id === "answer")?.text ?? ""
            const whole = words.slice(0, words.indexOf(word) + 1).join("")
            // With the next flush, the text is there to its last letter; what was told twice is longer.
            let streamed = ""
            if (at.length < whole.length) {
              yield* Effect.forkChild(
                Effect.repeat(Effect.andThen(events.flush, Effect.yieldNow), {
                  while: () => at.length + streamed.length < whole.length
                })
              )
              yield* events.follow(id, snapshot.thread.lastSeq).pipe(
                Stream.filter(({ itemId }) => itemId === "answer"),
                Stream.takeUntil(({ data }) => {
                  streamed += (data as { delta?: string }).delta ?? ""
                  return at.length + streamed.length >= whole.length
                }),
                Stream.runDrain
              )
            }
            assert.strictEqual(`${at}${streamed}`, whole)
          }
        })
      )
    })
  )
})

describe("a thread that is deleted", () => {
  it.effect("is told to who follows it and to who follows all, and to who comes back later", () =>
    Effect.gen(function* () {
      const { life } = yield* makeWorld()
      yield* life(
        Effect.gen(function* () {
          const threads = yield* Threads
          const events = yield* ThreadEvents
          const id = yield* openThread()
          const { lastSeq } = yield* threads.record(id)
          const heard = (of: typeof id | undefined, after: number) =>
            events.follow(of, after).pipe(
              Stream.filter(({ type }) => type === "thread.deleted"),
              Stream.runHead,
              Effect.map(Option.getOrThrow)
            )
          const own = yield* Effect.forkChild(heard(id, lastSeq), { startImmediately: true })
          const all = yield* Effect.forkChild(heard(undefined, 0), { startImmediately: true })
          yield* Effect.yieldNow
          yield* threads.remove(id)
          assert.strictEqual((yield* Fiber.join(own)).seq, lastSeq + 1)
          assert.strictEqual((yield* Fiber.join(all)).threadId, id)
          assert.strictEqual((yield* heard(undefined, 0)).threadId, id)
        })
      )
    })
  )
})
