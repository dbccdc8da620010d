import { assert, describe, it } from "@effect/vitest"
import { changedBy } from "./Diff.ts"

describe("what a diff tells of a change", () => {
  it("a new file is what was added", () => {
    assert.deepEqual(changedBy("+one\n++two"), { _tag: "Added", content: "one\n+two" })
    assert.deepEqual(changedBy("--- /dev/null\n+++ b/x\n@@ -0,0 +1,2 @@\n+one\n+two\n"), {
      _tag: "Added",
      content: "one\ntwo"
    })
  })

  it("each hunk is what stood there and what stands there now; a line that looks like a header is one of the file's", () => {
    const diff =
      "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n a\n--- b\n+++ c\n@@ -9,1 +9,0 @@\n-gone\n\\ No newline at end of file\n"
    assert.deepEqual(changedBy(diff), {
      _tag: "Edited",
      edits: [
        { before: "a\n-- b", after: "a\n++ c", lines: [" a", "--- b", "+++ c"] },
        { before: "gone", after: "", lines: ["-gone"] }
      ]
    })
  })

  it("nothing is told by nothing, or by what is no diff", () => {
    assert.isUndefined(changedBy(""))
    assert.isUndefined(changedBy("Binary files differ"))
  })
})
