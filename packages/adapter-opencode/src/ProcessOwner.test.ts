import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ProcessOwner } from "@rejoin/core/ProcessOwner"
import { Effect, Layer } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"

const life = (dataDirId: string, bootId: string) =>
  ProcessOwner.layer({ dataDirId, bootId }).pipe(Layer.provideMerge(NodeServices.layer))

/** A process with a child that left its group, both marked. */
const spawnMarked = (pool: string) =>
  Effect.gen(function* () {
    const owner = yield* ProcessOwner
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    return yield* spawner.spawn(
      ChildProcess.make("sh", ["-c", "setsid sleep 600 & exec sleep 600"], {
        env: owner.mark(pool),
        extendEnv: true
      })
    )
  })

describe("law 9: processes are known by their owner's mark", () => {
  it.live("a later life ends what an earlier one of the same data directory left, and nothing else", () =>
    Effect.gen(function* () {
      const id = `test-${process.pid}`
      const mine = yield* spawnMarked("a").pipe(Effect.provide(life(id, "boot1")))
      const others = yield* spawnMarked("a").pipe(Effect.provide(life(`${id}-other`, "boot1")))
      const own = yield* spawnMarked("b").pipe(Effect.provide(life(id, "boot2")))
      const swept = yield* Effect.flatMap(ProcessOwner, ({ sweepEarlier }) => sweepEarlier).pipe(
        Effect.provide(life(id, "boot2"))
      )
      assert.lengthOf(swept, 2)
      assert.isFalse(yield* mine.isRunning)
      assert.isTrue(yield* others.isRunning)
      assert.isTrue(yield* own.isRunning)
      const pool = yield* Effect.flatMap(ProcessOwner, ({ sweepPool }) => sweepPool("b")).pipe(
        Effect.provide(life(id, "boot2"))
      )
      assert.lengthOf(pool, 2)
      assert.isFalse(yield* own.isRunning)
      yield* Effect.flatMap(ProcessOwner, ({ sweepPool }) => sweepPool("a")).pipe(
        Effect.provide(life(`${id}-other`, "boot1"))
      )
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
