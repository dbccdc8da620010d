import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { makeDirectories } from "./OpenCodeDirectories.ts"

describe("the directories of a server", () => {
  const world = Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const root = yield* fs.makeTempDirectoryScoped()
    const disposed: Array<string> = []
    const { use } = makeDirectories(fs, (directory) =>
      Effect.sync(() => void disposed.push(directory.slice(root.length + 1)))
    )
    const at = (name: string) => `${root}/${name}`
    return { fs, at, disposed, visit: (name: string) => Effect.scoped(use(at(name))), use }
  })

  it.live("stay warm when they are left; of more than eight the one that was left longest ago goes", () =>
    Effect.gen(function* () {
      const { at, disposed, use, visit } = yield* world
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* use(at("0"))
          for (const name of ["1", "2", "3", "4", "5", "6", "7", "8"]) yield* visit(name)
          // In use it is none of the eight.
          assert.deepEqual(disposed, [])
          yield* visit("1")
          yield* visit("9")
          assert.deepEqual(disposed, ["2"])
        })
      )
      assert.deepEqual(disposed, ["2", "3"])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live("that are others by now are begun anew: made again at the same path, or a checkout since", () =>
    Effect.gen(function* () {
      const { at, disposed, fs, visit } = yield* world
      yield* fs.makeDirectory(at("a"))
      yield* visit("a")
      yield* visit("a")
      assert.deepEqual(disposed, [])
      yield* fs.makeDirectory(at("a/.git"))
      yield* visit("a")
      assert.deepEqual(disposed, ["a"])
      yield* fs.rename(at("a"), at("b"))
      yield* fs.makeDirectory(at("a"))
      yield* visit("a")
      assert.deepEqual(disposed, ["a", "a"])
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
