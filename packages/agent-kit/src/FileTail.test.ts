import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Option } from "effect"
import { endOf, makeFileTail } from "./FileTail.ts"

describe("a file that grows by lines", () => {
  it.live("tells what is new, whole lines only; another file or a cut one is none", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* fs.makeTempDirectoryScoped()}/lines`
      const add = (text: string | Uint8Array) =>
        fs.writeFile(path, typeof text === "string" ? new TextEncoder().encode(text) : text, { flag: "a" })
      yield* add("before\n")
      const tail = makeFileTail(fs, path, yield* endOf(fs, path))
      assert.deepEqual(yield* tail.next, Option.some([]))
      yield* add("one\ntwo\nth")
      assert.deepEqual(yield* tail.next, Option.some(["one", "two"]))
      // Cut in the middle of a character, it comes with the rest of its line.
      const face = new TextEncoder().encode("ree 🙂\n")
      yield* add(face.slice(0, 6))
      assert.deepEqual(yield* tail.next, Option.some([]))
      yield* add(face.slice(6))
      assert.deepEqual(yield* tail.next, Option.some(["three 🙂"]))
      yield* fs.writeFileString(path, "short\n")
      assert.isTrue(Option.isNone(yield* tail.next))
      yield* fs.rename(path, `${path}.old`)
      yield* fs.writeFileString(path, "before\none\ntwo\nthree 🙂\nanother\n")
      assert.isTrue(Option.isNone(yield* tail.next))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
