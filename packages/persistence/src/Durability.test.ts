import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { makeDurability } from "./Durability.ts"

const within = <A, E>(body: (fs: FileSystem.FileSystem, file: string) => Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* body(fs, `${yield* fs.makeTempDirectoryScoped()}/rejoin.db`)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

describe("what was committed reaches the disk", () => {
  it.live("by its log, or by itself where there is none; many at once are all answered", () =>
    within((fs, file) =>
      Effect.gen(function* () {
        const durable = makeDurability(file)
        yield* fs.writeFileString(file, "")
        yield* Effect.all([durable, durable, durable], { concurrency: "unbounded" })
        yield* fs.writeFileString(`${file}-wal`, "x")
        yield* Effect.all([durable, durable, durable], { concurrency: "unbounded" })
      })
    )
  )

  it.live("a disk that failed once is not believed again", () =>
    within((fs, file) =>
      Effect.gen(function* () {
        const durable = makeDurability(file)
        assert.strictEqual((yield* Effect.flip(durable))._tag, "StoreFailed")
        yield* fs.writeFileString(file, "")
        assert.strictEqual((yield* Effect.flip(durable))._tag, "StoreFailed")
      })
    )
  )
})
