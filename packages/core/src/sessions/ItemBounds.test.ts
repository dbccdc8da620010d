import { assert, describe, it } from "@effect/vitest"
import { ItemId } from "@rejoin/contracts/Ids"
import { bounded, boundedItem, isFull } from "./ItemBounds.ts"

const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i}`).join("\n")

describe("S3: what a tool printed is kept up to 500 lines, and so many characters", () => {
  it("with how much more there was", () => {
    for (const text of ["", "a", lines(500), `${lines(500)}\n`]) assert.strictEqual(bounded(text), text)
    assert.strictEqual(bounded(lines(501)), `${lines(500)}\n(1 more line)`)
    assert.strictEqual(bounded(`${lines(700)}\n`), `${lines(500)}\n(200 more lines)`)
  })

  it("in one line too, and not in the middle of a character", () => {
    const long = "x".repeat(99_999) + "😀".repeat(10)
    assert.strictEqual(bounded(long), `${"x".repeat(99_999)}\n(20 more characters)`)
    assert.isTrue(bounded(long).isWellFormed())
    assert.isAtMost(bounded("y".repeat(30_000_000)).length, 100_100)
    assert.isTrue(isFull("x".repeat(100_000)))
    assert.isFalse(isFull(undefined))
  })

  it("diffs and what a tool was given as well; what is said is kept whole", () => {
    const item = boundedItem({
      id: ItemId.make("i"),
      kind: "file-change",
      status: "completed",
      text: "t".repeat(200_000),
      changes: [{ path: "a", diff: "d".repeat(200_000) }],
      toolInput: { content: "c".repeat(200_000) }
    })
    assert.lengthOf(item.text ?? "", 200_000)
    assert.isBelow(item.changes?.[0]?.diff.length ?? 0, 101_000)
    assert.isBelow(JSON.stringify(item.toolInput).length, 120_000)
  })
})
