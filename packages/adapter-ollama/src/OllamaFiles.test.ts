import { assert, describe, it } from "@effect/vitest"
import { MessageId } from "@rejoin/contracts/Ids"
import type { Timestamp } from "@rejoin/contracts/Time"
import { Effect, Option } from "effect"
import { appendFileSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { makeFiles } from "./OllamaFiles.ts"
import { leastTokens, messagesOf, recordOf } from "./OllamaRecord.ts"

const at = "2026-01-01T00:00:00.000Z" as Timestamp
const id = "0199aaaa-bbbb-4ccc-8ddd-eeeeffff0000"
const head = { type: "conversation", v: 1, id, title: "t", systemPrompt: null, at } as const
const user = (name: string, text: string) =>
  ({ type: "user", id: MessageId.make(name), text, images: [], at }) as const
const assistant = (text: string, counted: object = {}) =>
  ({ type: "assistant", text, partial: false, model: "m", ...counted, at }) as const
const textOf = (...lines: ReadonlyArray<object>) => lines.map((line) => `${JSON.stringify(line)}\n`).join("")
const recorded = (...lines: ReadonlyArray<object>) => Option.getOrThrow(recordOf(textOf(head, ...lines)))

describe("the record of a conversation", () => {
  for (const torn of [10, 1_500_000])
    it.effect(
      `a line that a crash cut off after ${torn} characters is written over, and nothing else is lost`,
      () =>
        Effect.gen(function* () {
          const directory = mkdtempSync(join(tmpdir(), "rejoin-ollama-"))
          const files = makeFiles("local", directory)
          yield* files.create(head, [user("msg_1", "one"), assistant("ONE")])
          appendFileSync(files.pathOf(id), `{"type":"user","text":"${"x".repeat(torn)}`)
          yield* files.append(id, user("msg_2", "two"))
          const read = Option.getOrThrow((yield* files.read(id)) ?? Option.none())
          assert.deepEqual(
            messagesOf(read).map(({ text }) => text),
            ["one", "ONE", "two"]
          )
          rmSync(directory, { recursive: true })
        })
    )

  it("is told to and fro: what had no answer says so, and two answers in a row are one", () => {
    const record = recorded(user("msg_1", "one"), user("msg_2", "two"), assistant("a"), assistant("b"))
    assert.deepEqual(
      messagesOf(record).map(({ role, text }) => [role, text]),
      [
        ["user", "one"],
        ["assistant", "(There was no answer.)"],
        ["user", "two"],
        ["assistant", "a\n\nb"]
      ]
    )
  })

  it("has so many tokens at least: what a model thought is counted once, and not told again", () => {
    const thought = "<think>" + "deep ".repeat(500) + "</think>yes it is"
    const record = recorded(
      user("msg_1", "one"),
      assistant(thought, { promptTokens: 40, answerTokens: 900 }),
      user("msg_2", "and now")
    )
    assert.strictEqual(leastTokens(record, "m"), 40 + 3 + 2)
    assert.strictEqual(leastTokens(record, "another"), 0)
  })
})
