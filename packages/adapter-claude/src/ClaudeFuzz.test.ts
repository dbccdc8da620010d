import { assert, describe, it } from "@effect/vitest"
import { disturbed, json, mutated, recordingsIn } from "@rejoin/testkit/Mutated"
import { Option, Result, Schema } from "effect"
import fc from "fast-check"
import { decodeCursor } from "./ClaudeCursor.ts"
import { Frame } from "./ClaudeSchema.ts"
import { ClaudeTranslator } from "./ClaudeTranslator.ts"

const decode = Schema.decodeUnknownResult(Frame)
const recordings = recordingsIn(new URL("./fixtures/", import.meta.url))

describe("whatever Claude or a database says", () => {
  it("C6: what is no cursor is none, and nothing throws", () => {
    const providerSessionId = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000"
    const from = { id: providerSessionId, at: "a-line" }
    const cursor = { v: 1, driver: "claude", providerSessionId, storeId: "store", from }
    fc.assert(
      fc.property(fc.oneof(json, mutated(cursor)), (stored) => {
        const decoded = decodeCursor(stored)
        if (Option.isSome(decoded)) assert.match(decoded.value.providerSessionId, /^[0-9a-f-]{36}$/)
      })
    )
  })

  it("a frame that is not as it should be is passed over; no turn throws or settles twice", () => {
    fc.assert(
      fc.property(disturbed(recordings), (lines) => {
        const translator = new ClaudeTranslator("claude", "/home/ada/work")
        translator.begin("ours", "hello")
        const told = lines.flatMap((line) => {
          const frame = decode(line)
          return Result.isSuccess(frame) ? translator.feed(frame.success) : []
        })
        assert.isAtMost(told.filter(({ _tag }) => _tag === "TurnSettled").length, 1)
      }),
      { numRuns: 60, seed: 1 }
    )
  })
})
