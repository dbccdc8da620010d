import { assert, describe, it } from "@effect/vitest"
import { MessageId, TurnId, type ThreadId } from "@rejoin/contracts/Ids"
import { Timestamp } from "@rejoin/contracts/Time"
import { Effect, Option, Stream } from "effect"
import type { TurnRecord } from "../store/Records.ts"
import { makeWorld, openThread, say, settled } from "../testing/World.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { ThreadStore } from "../store/ThreadStore.ts"

const at = Timestamp.make("2026-01-01T00:00:00.000Z")

/** What a crash leaves: a turn in a state that no life of a server ends in. */
const plant = Effect.fnUntraced(function* (
  threadId: ThreadId,
  status: TurnRecord["status"],
  messageId: string | null
) {
  const store = yield* ThreadStore
  const turn: TurnRecord = {
    id: TurnId.make("trn_planted"),
    threadId,
    status,
    input: "planted",
    attachments: [],
    output: "",
    steers: [],
    delivery: null,
    error: null,
    idempotencyKey: null,
    messageId: messageId === null ? null : MessageId.make(messageId),
    generation: 1,
    acceptedAt: at,
    startedAt: null,
    settledAt: null
  }
  yield* store.saveTurn(turn)
  return turn.id
})

describe("a start-up after a crash", () => {
  it.effect("T10, N8: an accepted turn is run", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [id, turnId] = yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          return [id, yield* plant(id, "accepted", null)] as const
        })
      )
      const turn = yield* world.life(settled(id, turnId))
      assert.strictEqual(turn.output, "one | planted")
    })
  )

  it.effect("law 6: a dispatching turn whose message did not arrive is run, once", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [id, turnId] = yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          return [id, yield* plant(id, "dispatching", "msg_lost")] as const
        })
      )
      assert.strictEqual((yield* world.life(settled(id, turnId))).output, "one | planted")
      assert.lengthOf(world.upstream.asked, 2)
    })
  )

  it.effect("law 6: a dispatching turn whose message arrived is interrupted and never run again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [id, turnId] = yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          world.upstream.sessions.get("mem_1")?.messages.push({ id: "msg_arrived", input: "planted" })
          return [id, yield* plant(id, "dispatching", "msg_arrived")] as const
        })
      )
      const next = yield* world.life(
        Effect.gen(function* () {
          assert.strictEqual((yield* settled(id, turnId)).status, "interrupted")
          return yield* say(id, "next")
        })
      )
      // Upstream is ahead of our mark by the message that arrived: that passes.
      assert.strictEqual(next.output, "one | planted | next")
      assert.lengthOf(world.upstream.asked, 2)
    })
  )

  it.effect(
    "C37: a running turn comes back interrupted, its requests are gone, and its partial items keep their text",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const [id, turnId] = yield* world.life(
          Effect.gen(function* () {
            const id = yield* openThread()
            yield* say(id, "one")
            const turnId = yield* plant(id, "running", "msg_x")
            const store = yield* ThreadStore
            const item = {
              id: "item_x" as never,
              turnId,
              kind: "assistant-message",
              status: "started",
              text: ""
            } as const
            yield* store.saveItems([{ threadId: id, item }])
            const delta = (text: string) => ({
              type: "item.updated" as const,
              threadId: id,
              turnId,
              itemId: item.id,
              generation: 1,
              at,
              data: { field: "text", delta: text }
            })
            yield* store.appendEvents([delta("half of "), delta("an answer")])
            const openedAt = at
            const ask = { kind: "approval", permission: "edit", title: "write" } as const
            yield* store.saveRequest({ id: "req_x" as never, threadId: id, turnId, openedAt, ask })
            return [id, turnId] as const
          })
        )
        yield* world.life(
          Effect.gen(function* () {
            const turn = yield* settled(id, turnId)
            assert.strictEqual(turn.status, "interrupted")
            assert.strictEqual(turn.error?._tag, "ProviderFailed")
            const store = yield* ThreadStore
            assert.lengthOf(yield* store.listRequests(id), 0)
            const items = yield* store.listItems(id, { limit: 10 })
            assert.deepInclude(items.at(-1), { status: "failed", text: "half of an answer" })
            const events = yield* ThreadEvents
            yield* events.follow(id, 0).pipe(
              Stream.takeUntil(({ type }) => type === "turn.interrupted"),
              Stream.runDrain
            )
          })
        )
      })
  )

  it.effect("law 7: what a crash left half done is found by its intent, even without an id, and undone", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const id = yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          const store = yield* ThreadStore
          const generation = yield* store.nextGeneration(id)
          yield* store.saveIntent({
            threadId: id,
            generation,
            instanceId: "memory" as never,
            step: "begun",
            titleMark: `[${id}]`,
            cwd: "/tree",
            created: [],
            at
          })
          // Created upstream, but the crash came before its id was written.
          world.upstream.create({
            createdAt: Date.parse(at) + 10,
            title: `left [${id}]`,
            directory: "/tree",
            mode: undefined,
            model: null,
            messages: []
          })
          // The user's own fork of it, made later, has its title too.
          world.upstream.create({
            createdAt: Date.parse(at) + 3_600_000,
            title: `one [${id}] (fork #1)`,
            directory: "/work",
            mode: undefined,
            model: null,
            messages: []
          })
          world.upstream.create({
            createdAt: Date.parse(at) + 10,
            title: "somebody else's",
            directory: "/",
            mode: undefined,
            model: null,
            messages: []
          })
          return id
        })
      )
      const turn = yield* world.life(say(id, "two"))
      assert.strictEqual(turn.output, "one | two")
      assert.deepEqual(
        [...world.upstream.sessions.values()].map(({ title }) => title.includes("left")),
        [false, false, false]
      )
      assert.lengthOf(yield* world.store.listIntents("ours"), 0)
      assert.isTrue(Option.isSome(yield* world.store.getBinding(id)))
    })
  )
})
