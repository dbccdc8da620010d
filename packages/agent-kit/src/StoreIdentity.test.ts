import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { TestClock } from "effect/testing"
import { execFileSync } from "node:child_process"
import { markedStoreOf, storeOf } from "./StoreIdentity.ts"

const within = <A, E>(body: (root: string) => Effect.Effect<A, E, FileSystem.FileSystem>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const root = yield* Effect.flatMap(fs.makeTempDirectoryScoped(), fs.realPath)
    yield* fs.makeDirectory(`${root}/home`)
    return yield* body(root)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

describe("law 2: which data directory it is", () => {
  it.effect(
    "restored from a copy at the same path, it is the same; a copy elsewhere is not, nor one made anew",
    () =>
      within((root) =>
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const { id } = yield* markedStoreOf(`${root}/home`)
          execFileSync("cp", ["-a", `${root}/home`, `${root}/copy`])
          assert.isFalse((yield* storeOf(`${root}/copy`)).is(id))
          yield* fs.remove(`${root}/home`, { recursive: true })
          assert.isFalse((yield* storeOf(`${root}/home`)).is(id))
          yield* fs.makeDirectory(`${root}/home`)
          assert.isFalse((yield* markedStoreOf(`${root}/home`)).is(id))
          yield* fs.remove(`${root}/home`, { recursive: true })
          yield* fs.rename(`${root}/copy`, `${root}/home`)
          assert.isTrue((yield* storeOf(`${root}/home`)).is(id))
          // By a link it is the same one.
          yield* fs.symlink(`${root}/home`, `${root}/link`)
          assert.strictEqual((yield* storeOf(`${root}/link`)).id, id)
        })
      )
  )

  it.effect(
    "N2: what was deleted is known as gone, also when something new was begun in its place; not the other way",
    () =>
      within((root) =>
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const home = `${root}/home`
          yield* TestClock.adjust("1 day")
          const { id: old } = yield* markedStoreOf(home)
          yield* fs.rename(home, `${root}/away`)
          assert.isTrue((yield* storeOf(home)).emptied(old), "it is not there")
          assert.isFalse(
            (yield* storeOf(`${root}/away`)).emptied(old),
            "at another place nothing is known of it"
          )
          yield* fs.makeDirectory(home)
          assert.isTrue((yield* storeOf(home)).emptied(old), "nothing of ours is in it")
          yield* TestClock.adjust("1 minute")
          const { id: later } = yield* markedStoreOf(home)
          assert.isTrue((yield* storeOf(home)).emptied(old), "it was gone when this one was marked")
          // The old one comes back: what was said in the later one is not known to be gone.
          yield* fs.remove(home, { recursive: true })
          yield* fs.rename(`${root}/away`, home)
          const back = yield* storeOf(home)
          assert.isTrue(back.is(old))
          assert.isFalse(back.emptied(old))
          assert.isFalse(back.emptied(later))
        })
      )
  )

  it.effect("what was begun before there were marks is still there; looking writes nothing", () =>
    within((root) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const before = yield* storeOf(`${root}/home`)
        assert.deepEqual(yield* fs.readDirectory(`${root}/home`), [])
        const marked = yield* markedStoreOf(`${root}/home`)
        assert.notStrictEqual(marked.id, before.id)
        assert.isTrue(marked.is(before.id))
        assert.strictEqual((yield* markedStoreOf(`${root}/home`)).id, marked.id)
      })
    )
  )
})
