import { assert, describe, it } from "@effect/vitest"
import { MessageId } from "@rejoin/contracts/Ids"
import { compareMark } from "./Mark.ts"

describe("N1: our mark against what an upstream has", () => {
  const mark = MessageId.make("b")

  it("is the last, is followed by others, is missed, or nothing is there", () => {
    assert.deepEqual(compareMark(["a", "b"], mark), { history: "same", ahead: 0 })
    assert.deepEqual(compareMark(["a", "b", null, null], mark), { history: "ahead", ahead: 2 })
    assert.deepEqual(compareMark(["a", null], mark), { history: "diverged", ahead: 0 })
    assert.deepEqual(compareMark([], mark), { history: "behind", ahead: 0 })
  })

  it("proves nothing where there is none", () => {
    assert.deepEqual(compareMark(["a", null], null), { history: "unknown", ahead: 0 })
  })
})
