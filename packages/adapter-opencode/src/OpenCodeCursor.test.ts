import { assert, describe, it } from "@effect/vitest"
import { StoreId } from "@rejoin/contracts/Ids"
import { Option } from "effect"
import { cursorOf, decodeCursor } from "./OpenCodeCursor.ts"

const cursor = cursorOf("ses_e029a84e3ffe2DIQh2rNbJvnUa", StoreId.make("machine:/data:1:2"))

describe("OpenCode's cursor", () => {
  it("C6: comes back as it was written, its id trimmed", () => {
    assert.deepEqual(Option.getOrThrow(decodeCursor(JSON.parse(JSON.stringify(cursor)))), cursor)
    const spaced = { ...cursor, providerSessionId: `  ${cursor.providerSessionId}\n` }
    assert.deepEqual(Option.getOrThrow(decodeCursor(spaced)), cursor)
  })

  it("C6: whatever is not one is none, and nothing throws", () => {
    const without = (change: object) => ({ ...cursor, ...change })
    const wrong: ReadonlyArray<unknown> = [
      null,
      undefined,
      0,
      "",
      "ses_e029a84e3ffe2DIQh2rNbJvnUa",
      [],
      [cursor],
      {},
      without({ v: 2 }),
      without({ v: "1" }),
      without({ driver: "codex" }),
      without({ storeId: "" }),
      without({ providerSessionId: "" }),
      without({ providerSessionId: "ses_" }),
      without({ providerSessionId: "ses_../../x" }),
      without({ providerSessionId: "ses_a?b=c#d/eeeeeeeeeeee" }),
      without({ providerSessionId: "msg_e029a84e3ffe2DIQh2rNbJvnUa" }),
      without({ providerSessionId: `ses_${"x".repeat(500)}` })
    ]
    for (const stored of wrong) assert.isTrue(Option.isNone(decodeCursor(stored)), JSON.stringify(stored))
  })
})
