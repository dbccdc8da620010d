import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ProviderService } from "../ProviderService.ts"
import { failureOf, makeWorld, memory, openThread, say } from "../testing/World.ts"

/** A session that somebody began in the agent's own interface. */
const begun = (world: Effect.Success<ReturnType<typeof makeWorld>>, inputs: ReadonlyArray<string>) =>
  world.upstream.create({
    title: "mine",
    createdAt: 0,
    directory: "/work",
    mode: undefined,
    model: null,
    messages: inputs.map((input, i) => ({ id: `own_${i}`, input }))
  })

const adopt = (session: string) =>
  Effect.flatMap(ProviderService, (service) => service.adopt({ provider: memory, session }))

describe("I3, N6: a session of the agent's own becomes a thread", () => {
  it.effect("with all that was said in it, as one thread however often, and goes on with just that", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { id: session } = begun(world, ["one", "two"])
      yield* world.life(
        Effect.gen(function* () {
          const all = yield* Effect.all([adopt(session), adopt(session), adopt(session)], { concurrency: 3 })
          assert.deepEqual(
            all.map(({ created }) => created),
            [true, false, false]
          )
          const [thread] = all.map(({ thread }) => thread)
          const id = all[0].thread.id
          assert.deepInclude({ ...thread }, { title: "mine", cwd: "/work", status: "done" })
          assert.strictEqual(new Set(all.map(({ thread }) => thread.id)).size, 1)
          const turns = yield* world.store.listTurns(id, { limit: 10 })
          assert.deepEqual(
            turns.map(({ elsewhere, input, output, status }) => [input, output, status, elsewhere]),
            [
              ["one", "answer to one", "completed", true],
              ["two", "answer to two", "completed", true]
            ]
          )
          const items = yield* world.store.listItems(id, { limit: 10 })
          assert.deepEqual(
            items.map(({ elsewhere, kind, text }) => [kind, text, elsewhere]),
            [
              ["user-message", "one", true],
              ["assistant-message", "answer to one", true],
              ["user-message", "two", true],
              ["assistant-message", "answer to two", true]
            ]
          )
          assert.strictEqual((yield* say(id, "three")).output, "one | two | three")
          const [receipt] = yield* world.store.listReceipts(id, { limit: 1 })
          assert.strictEqual(receipt?.outcome, "adopted")
          assert.strictEqual(receipt?.providerSessionIdAfter, session)
          const service = yield* ProviderService
          const fork = yield* service.fork(id, { turnId: turns[0]?.id })
          assert.strictEqual((yield* say(fork.id, "in the fork")).output, "one | in the fork")
        })
      )
    })
  )

  it.effect(
    "I4: what is said there afterwards stands before the next turn, once, and the next turn knows it",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const { id: session } = begun(world, ["one"])
        const id = yield* world.life(Effect.map(adopt(session), ({ thread }) => thread.id))
        world.upstream.sessions
          .get(session)
          ?.messages.push({ id: "own_a", input: "there" }, { id: "own_b", input: "more" })
        yield* world.life(
          Effect.gen(function* () {
            assert.strictEqual((yield* say(id, "two")).output, "one | there | more | two")
            yield* say(id, "three")
            const turns = yield* world.store.listTurns(id, { limit: 10 })
            assert.deepEqual(
              turns.map(({ elsewhere = false, input }) => [input, elsewhere]),
              [
                ["one", true],
                ["there", true],
                ["more", true],
                ["two", false],
                ["three", false]
              ]
            )
            const said = (yield* world.store.listItems(id, { limit: 50 })).filter(
              ({ kind }) => kind === "user-message"
            )
            assert.deepEqual(
              said.map(({ text }) => text),
              ["one", "there", "more", "two", "three"]
            )
            const receipts = yield* world.store.listReceipts(id, { limit: 10 })
            assert.deepInclude({ ...receipts.at(-1) }, { ahead: 2, imported: 2 })
            const service = yield* ProviderService
            const fork = yield* service.fork(id, { turnId: turns[2]?.id })
            assert.strictEqual(
              (yield* say(fork.id, "in the fork")).output,
              "one | there | more | in the fork"
            )
          })
        )
      })
  )

  it.effect("what is not there is none, and one of ours is found as what it is", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          assert.strictEqual(failureOf(yield* Effect.exit(adopt("mem_9")))?._tag, "SessionNotFound")
          const id = yield* openThread()
          yield* say(id, "one")
          const found = yield* adopt("mem_1")
          assert.isFalse(found.created)
          assert.strictEqual(found.thread.id, id)
        })
      )
    })
  )
})
