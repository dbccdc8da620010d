import { assert, describe, it } from "@effect/vitest"
import { disturbed, json, mutated, recordingsIn } from "@rejoin/testkit/Mutated"
import { Option, Result, Schema } from "effect"
import fc from "fast-check"
import { decodeCursor } from "./CodexCursor.ts"
import { Notification } from "./CodexSchema.ts"
import { CodexTranslator } from "./CodexTranslator.ts"

const decode = Schema.decodeUnknownResult(Notification)
const recordings = recordingsIn(new URL("./fixtures/", import.meta.url))

describe("whatever Codex or a database says", () => {
  it("C6: what is no cursor is none, and nothing throws", () => {
    const providerSessionId = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000"
    const cursor = {
      v: 1,
      driver: "codex",
      providerSessionId,
      storeId: "store",
      lineage: [providerSessionId]
    }
    fc.assert(
      fc.property(fc.oneof(json, mutated(cursor)), (stored) => {
        const decoded = decodeCursor(stored)
        if (Option.isSome(decoded)) assert.match(decoded.value.providerSessionId, /^[0-9a-f-]{36}$/)
      })
    )
  })

  it("a message that is not as it should be is passed over; no turn throws or settles twice", () => {
    fc.assert(
      fc.property(disturbed(recordings), (lines) => {
        const translator = new CodexTranslator("codex", "/home/ada/w1")
        translator.begin("ours", "hello")
        const told = lines.flatMap((line) => {
          const message = decode(line)
          return Result.isSuccess(message) ? translator.feed(message.success) : []
        })
        assert.isAtMost(told.filter(({ _tag }) => _tag === "TurnSettled").length, 1)
      }),
      { numRuns: 60, seed: 1 }
    )
  })
})
