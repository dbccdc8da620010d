import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { currentText, proposedDiff } from "./ClaudeEdits.ts"
import { ClaudeGate } from "./ClaudeGate.ts"
import { askOf } from "./ClaudeRequests.ts"

const file = { text: "one\ntwo\nthree\nfour\nfive\nsix\n" }

describe("what is to be edited is shown as it is and as it would be, before it is allowed", () => {
  it("an edit in its place, with what it removes", () => {
    assert.strictEqual(
      proposedDiff({ old_string: "two\n", new_string: "2\n" }, file),
      "@@ -1,5 +1,5 @@\n one\n-two\n+2\n three\n four\n five\n"
    )
    // `$&` in a replacement is text.
    assert.include(proposedDiff({ old_string: "two", new_string: "$&$&" }, file) ?? "", "+$&$&")
  })

  it("every place where all are meant; several edits as one", () => {
    const all = proposedDiff({ old_string: "o", new_string: "0", replace_all: true }, file) ?? ""
    for (const line of ["-one", "+0ne", "-four", "+f0ur"]) assert.include(all, `${line}\n`)
    const edits = [
      { old_string: "one", new_string: "1" },
      { old_string: "six", new_string: "6" }
    ]
    const both = proposedDiff({ edits }, file) ?? ""
    for (const line of ["-one", "+1", "-six", "+6"]) assert.include(both, `${line}\n`)
  })

  it("an edit that would not apply, or of what may not be shown, by itself", () => {
    for (const current of [file, "unknown", "absent"] as const) {
      const diff = proposedDiff({ old_string: "gone", new_string: "come" }, current) ?? ""
      assert.include(diff, "-gone\n")
      assert.include(diff, "+come\n")
    }
  })

  it("what is written over is shown as removed; a new file as added; what is unknown is said to be", () => {
    assert.include(proposedDiff({ content: "new\n" }, file) ?? "", "-one\n-two\n")
    assert.strictEqual(proposedDiff({ content: "new\n" }, "absent"), "@@ -1,0 +1,1 @@\n+new\n")
    assert.include(proposedDiff({ content: "new\n" }, "unknown") ?? "", "not shown")
    assert.include(proposedDiff({ new_source: "print()" }, "unknown") ?? "", "+print()")
    assert.isUndefined(proposedDiff({ command: "ls" }, "absent"))
  })

  it("nothing outside of the thread's directories is read, not through a link either, and nothing that would block", () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), "rejoin-edits-")))
    try {
      mkdirSync(join(root, "work"))
      writeFileSync(join(root, "secret"), "the secret\n")
      writeFileSync(join(root, "work", "mine"), "mine\n")
      symlinkSync(join(root, "secret"), join(root, "work", "link"))
      execFileSync("mkfifo", [join(root, "work", "pipe")])
      const gate = new ClaudeGate(join(root, "work"), "approval-required")
      const asked = (path: string) => {
        const ask = askOf(
          {
            subtype: "can_use_tool",
            tool_use_id: "t",
            tool_name: "Write",
            input: { file_path: join(root, path), content: "x\n" }
          },
          (path) => (gate.holds(path) ? currentText(path) : "unknown")
        )
        return ask.kind === "approval" ? ask.diff : undefined
      }
      assert.include(asked("work/mine"), "-mine\n+x\n")
      assert.strictEqual(asked("work/new"), "@@ -1,0 +1,1 @@\n+x\n")
      for (const path of ["secret", "work/link", "work/../secret", "work/pipe"]) {
        assert.notInclude(asked(path), "secret\n")
        assert.include(asked(path), "not shown")
      }
    } finally {
      rmSync(root, { recursive: true })
    }
  })
})
