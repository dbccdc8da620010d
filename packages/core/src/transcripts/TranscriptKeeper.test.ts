import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { makeWorld, openThread, say } from "../testing/World.ts"
import { Threads } from "../threads/Threads.ts"
import { TranscriptKeeper } from "./TranscriptKeeper.ts"

const keep = (id: Parameters<TranscriptKeeper["Service"]["keep"]>[0]) =>
  Effect.flatMap(TranscriptKeeper, (keeper) => keeper.keep(id))

describe("our copies of what the agents write down", () => {
  it.effect("W1, W2, W9: what is new after each turn; how far it goes is told of the thread", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const appended: Array<ReadonlyArray<string>> = []
      const { append } = world.store.transcripts
      Object.assign(world.store.transcripts, {
        append: (...[head, pieces, after]: Parameters<typeof append>) => {
          appended.push(pieces.map(({ file }) => file))
          return append(head, pieces, after)
        }
      })
      yield* world.life(
        Effect.gen(function* () {
          const threads = yield* Threads
          const id = yield* openThread()
          assert.isNull((yield* threads.get(id)).transcript)
          yield* say(id, "one")
          yield* keep(id)
          const last = yield* say(id, "two")
          yield* keep(id)
          // Nothing new, nothing written.
          yield* keep(id)
          assert.deepEqual(appended, [["0"], ["1"]])
          const { transcript } = yield* threads.get(id)
          assert.strictEqual(transcript?.upToTurnId, last.id)
          assert.isAbove(transcript?.bytes ?? 0, 0)
        })
      )
    })
  )

  it.effect("W10: what was rewritten upstream takes the place of the old copy", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          yield* say(id, "two")
          yield* keep(id)
          const session = world.upstream.sessions.get("mem_1")
          session?.messages.splice(0, 1)
          yield* keep(id)
          assert.strictEqual((yield* world.store.transcripts.read(id)).size, 1)
        })
      )
    })
  )

  it.effect("a server that stops takes what is new with it; with the thread goes its copy", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const id = yield* world.life(Effect.tap(openThread(), (id) => say(id, "one")))
      assert.strictEqual((yield* world.store.transcripts.read(id)).size, 1)
      yield* world.life(Effect.flatMap(Threads, (threads) => threads.remove(id)))
      assert.isTrue(Option.isNone(yield* world.store.transcripts.get(id)))
    })
  )

  // Its end is all that is asked: it takes the five seconds that a stop waits.
  it.live("a stop does not wait for what does not come", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({}, (store) => ({
        ...store,
        transcripts: { ...store.transcripts, append: () => Effect.never }
      }))
      const turn = yield* world.life(Effect.flatMap(openThread(), (id) => say(id, "one")))
      assert.strictEqual(turn.status, "completed")
    })
  )

  it.effect("none where the operator wants none; one that would be too large ends where it is", () =>
    Effect.gen(function* () {
      const none = yield* makeWorld({ transcripts: { keep: false, maxBytes: 1000 } })
      const id = yield* none.life(Effect.tap(openThread(), (id) => say(id, "one")))
      assert.isTrue(Option.isNone(yield* none.store.transcripts.get(id)))
      const small = yield* makeWorld({ transcripts: { keep: true, maxBytes: 100 } })
      yield* small.life(
        Effect.gen(function* () {
          const id = yield* openThread()
          yield* say(id, "one")
          yield* keep(id)
          yield* say(id, "x".repeat(200))
          yield* keep(id)
          assert.strictEqual((yield* small.store.transcripts.read(id)).size, 1)
        })
      )
    })
  )
})
