import { assert, describe, it } from "@effect/vitest"
import { disturbed, json, mutated, recordingsIn } from "@rejoin/testkit/Mutated"
import { Option, Result, Schema } from "effect"
import fc from "fast-check"
import { decodeCursor } from "./OpenCodeCursor.ts"
import { BusEvent } from "./OpenCodeSchema.ts"
import { OpenCodeTranslator } from "./OpenCodeTranslator.ts"

const decode = Schema.decodeUnknownResult(BusEvent)
const recordings = recordingsIn(new URL("./fixtures/", import.meta.url))

describe("whatever OpenCode or a database says", () => {
  it("C6: what is no cursor is none, and nothing throws", () => {
    const cursor = { v: 1, driver: "opencode", providerSessionId: "ses_abc", storeId: "store" }
    fc.assert(
      fc.property(fc.oneof(json, mutated(cursor)), (stored) => {
        const decoded = decodeCursor(stored)
        if (Option.isSome(decoded)) assert.match(decoded.value.providerSessionId, /^ses_[^/\s]+$/)
      })
    )
  })

  it("an event that is not as it should be is passed over; no turn throws or settles twice", () => {
    fc.assert(
      fc.property(disturbed(recordings), (lines) => {
        const translator = new OpenCodeTranslator("opencode")
        translator.begin("msg_ours")
        const told = lines.flatMap((line) => {
          const event = decode(line)
          return Result.isSuccess(event) ? translator.feed(event.success) : []
        })
        assert.isAtMost(told.filter(({ _tag }) => _tag === "TurnSettled").length, 1)
      }),
      { numRuns: 60, seed: 1 }
    )
  })
})
