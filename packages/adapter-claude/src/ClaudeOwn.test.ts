import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { StoreId } from "@rejoin/contracts/Ids"
import { Effect, FileSystem } from "effect"
import { makeOwn } from "./ClaudeOwn.ts"

const idOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`

const line = (n: number, text: string) =>
  JSON.stringify({
    type: "user",
    uuid: `10000000-0000-4000-8000-${String(n).padStart(12, "0")}`,
    parentUuid: null,
    sessionId: idOf(n),
    cwd: "/work",
    timestamp: "2026-01-01T00:00:00.000Z",
    message: { role: "user", content: text }
  })

describe("Claude's own sessions", () => {
  it.live("I2: a transcript that is damaged is counted, and hides no other", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const home = yield* fs.makeTempDirectoryScoped()
      const directory = `${home}/projects/-work`
      yield* fs.makeDirectory(directory, { recursive: true })
      const write = (n: number, text: string) => fs.writeFileString(`${directory}/${idOf(n)}.jsonl`, text)
      yield* write(1, `${line(1, "whole")}\n`)
      yield* write(2, "")
      yield* write(3, "\u0000\u0001 no line of it\n")
      yield* write(4, `${line(4, "its last line is torn")}\n{"type":"assist`)
      yield* write(5, `{torn\n${line(5, "its first line is torn")}\n`)
      yield* fs.makeDirectory(`${directory}/${idOf(6)}.jsonl`)
      yield* fs.symlink(`${home}/nowhere`, `${directory}/${idOf(7)}.jsonl`)
      yield* write(8, `${line(8, `pasted ${"x".repeat(500_000)}`)}\n`)
      yield* fs.writeFileString(`${home}/projects/file`, "no directory")
      const own = makeOwn(fs, "claude", home, Effect.succeed(StoreId.make("store")))
      const { items, unreadable } = yield* own.list({ limit: 50 })
      assert.sameMembers(
        items.map(({ title }) => title.slice(0, 22)),
        ["whole", "its last line is torn", "its first line is torn", "pasted xxxxxxxxxxxxxxx"]
      )
      assert.strictEqual(unreadable, 4)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
