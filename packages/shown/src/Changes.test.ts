import { assert, describe, it } from "@effect/vitest"
import { ItemId, TurnId } from "@rejoin/contracts/Ids"
import type { Item } from "@rejoin/contracts/Item"
import { counted, countedText, filesChanged, linesOf, within } from "./Changes.ts"

const diff = `Index: a.ts
===================================================================
--- a.ts
+++ a.ts
@@ -10,3 +10,4 @@
 kept
-old
--- a comment that was removed
+new
+++ counter
 end
\\ No newline at end of file
@@ -90 +91 @@ far()
-x
+y
`

describe("a change as it is shown", () => {
  it("has its lines numbered, without what names the files", () => {
    assert.deepEqual(
      linesOf(diff).map(({ at, kind, text }) => [kind, at, text]),
      [
        ["hunk", undefined, "@@ -10,3 +10,4 @@"],
        ["kept", 10, " kept"],
        ["removed", 11, "-old"],
        ["removed", 12, "--- a comment that was removed"],
        ["added", 11, "+new"],
        ["added", 12, "+++ counter"],
        ["kept", 13, " end"],
        ["hunk", undefined, "@@ -90 +91 @@ far()"],
        ["removed", 90, "-x"],
        ["added", 91, "+y"]
      ]
    )
    assert.strictEqual(countedText(counted(diff)), "+3 −3")
  })

  it("of a file whose places are not told has no numbers", () => {
    assert.deepEqual(linesOf("--- a\n+++ b\n-one\n+two"), [
      { kind: "removed", text: "-one" },
      { kind: "added", text: "+two" }
    ])
  })

  it("is one of each file, however often that was changed; what failed changed nothing", () => {
    const item = (status: Item["status"], path: string): Item => ({
      id: ItemId.make("itm_1"),
      turnId: TurnId.make("trn_1"),
      kind: "file-change",
      status,
      changes: [{ path, diff }]
    })
    assert.deepEqual(
      filesChanged([item("completed", "/w/a.ts"), item("completed", "/w/a.ts"), item("failed", "/w/b.ts")]),
      [{ path: "/w/a.ts", added: 6, removed: 6 }]
    )
    assert.strictEqual(within("/w", "/w/a.ts"), "a.ts")
    assert.strictEqual(within("/w", "/ww/a.ts"), "/ww/a.ts")
  })
})
