import { assert, describe, it } from "@effect/vitest"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { ClaudeGate } from "./ClaudeGate.ts"
import { flagsOf, modeName, modeOf, verdictOf } from "./ClaudeModes.ts"

const at = (event: "UserPromptSubmit" | "PreToolUse", mode: string, cwd = "/work", tool = "Bash") => ({
  hook_event_name: event,
  session_id: "s",
  cwd,
  permission_mode: mode,
  ...(event === "PreToolUse" && { tool_name: tool })
})
const gate = (mode: RuntimeMode) => new ClaudeGate("/work", mode)

describe("the gate before Claude's prompts and tools", () => {
  it("law 4: what each mode does with each kind of tool; what is not known is never passed", () => {
    const verdicts = (mode: RuntimeMode) =>
      ["Read", "Write", "Bash", "mcp__somebody__tool", "ANewTool"].map((tool) => verdictOf(mode, tool, true))
    assert.deepEqual(verdicts("read-only"), ["pass", "deny", "deny", "deny", "deny"])
    assert.deepEqual(verdicts("approval-required"), ["pass", "ask", "ask", "ask", "ask"])
    assert.deepEqual(verdicts("auto-accept-edits"), ["pass", "pass", "ask", "ask", "ask"])
    assert.deepEqual(verdicts("full-access"), ["pass", "pass", "pass", "pass", "pass"])
  })

  it("law 4: an edit is free in the thread's own directories only, whatever the user's rules allow", () => {
    const decided = (file_path: string) => {
      const asked = new ClaudeGate("/work", "auto-accept-edits", ["/more"]).ask({
        ...at("PreToolUse", "acceptEdits", "/work", "Write"),
        tool_input: { file_path }
      })
      return JSON.stringify(asked.answer).includes('"ask"') ? "ask" : "pass"
    }
    const paths = ["/work/a", "b/c", "/more/d", "/other/a", "../other", "/workshop/a", "/work/.git/hooks/x"]
    assert.deepEqual(paths.map(decided), ["pass", "pass", "pass", "ask", "ask", "ask", "ask"])
  })

  it("the mode is always passed, and each is told apart from each", () => {
    for (const mode of ["read-only", "approval-required", "auto-accept-edits", "full-access"] as const) {
      assert.strictEqual(modeOf(modeName(mode)), mode)
      assert.include(flagsOf(mode), "--permission-mode")
      assert.include(flagsOf(mode).at(-1), "EnterWorktree")
    }
    assert.strictEqual(modeOf("plan"), "other")
    assert.strictEqual(modeOf("auto"), "other")
  })

  it("laws 3 and 4: a prompt in another place or with other powers is blocked before a model hears it", () => {
    const elsewhere = gate("read-only").ask(at("UserPromptSubmit", "dontAsk", "/other"))
    assert.deepInclude({ ...elsewhere.answer }, { decision: "block" })
    assert.strictEqual(elsewhere.mismatch?._tag, "DirectoryMismatch")
    const wider = gate("read-only").ask(at("UserPromptSubmit", "bypassPermissions"))
    assert.deepInclude({ ...wider.answer }, { decision: "block" })
    assert.strictEqual(wider.mismatch?._tag, "PermissionMismatch")
    const right = gate("read-only").ask(at("UserPromptSubmit", "dontAsk"))
    assert.deepEqual({ ...right.answer }, {})
    assert.isUndefined(right.mismatch)
  })

  it("law 3: an agent may change its shell's directory by itself; a first tool elsewhere is denied", () => {
    const denied = gate("full-access").ask(at("PreToolUse", "bypassPermissions", "/other"))
    assert.include(JSON.stringify(denied.answer), '"deny"')
    const own = gate("full-access")
    own.ask(at("PreToolUse", "bypassPermissions"))
    assert.deepEqual({ ...own.ask(at("PreToolUse", "bypassPermissions", "/other")).answer }, {})
    assert.isUndefined(own.ask(at("UserPromptSubmit", "bypassPermissions", "/other")).mismatch)
  })

  it("law 4: a mode that changed in mid-session denies the tool, whatever it would allow", () => {
    const changed = gate("approval-required").ask(at("PreToolUse", "acceptEdits", "/work", "Read"))
    assert.include(JSON.stringify(changed.answer), '"deny"')
    assert.strictEqual(changed.mismatch?._tag, "PermissionMismatch")
  })
})
