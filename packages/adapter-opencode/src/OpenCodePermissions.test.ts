import { assert, describe, it } from "@effect/vitest"
import { answerForSubAgent, modeOf, rulesOf } from "./OpenCodePermissions.ts"

const modes = ["read-only", "approval-required", "auto-accept-edits", "full-access"] as const

describe("OpenCode's permissions", () => {
  it("a mode is read back from the tail, whatever came before", () => {
    for (const before of modes) {
      for (const mode of modes) assert.strictEqual(modeOf([...rulesOf[before], ...rulesOf[mode]]), mode)
    }
  })

  it("anything after a complete set, or less than one, is no mode of ours", () => {
    for (const mode of modes) {
      assert.isUndefined(modeOf([...rulesOf[mode], { permission: "bash", pattern: "*", action: "allow" }]))
      assert.isUndefined(modeOf(rulesOf[mode].slice(1)))
    }
    assert.isUndefined(modeOf([]))
    assert.isUndefined(modeOf(undefined))
  })

  it("every set is complete: it starts with what holds for everything", () => {
    for (const mode of modes) assert.deepInclude(rulesOf[mode][0], { permission: "*", pattern: "*" })
  })

  it("a sub-agent may what its session may, and asks where that asks", () => {
    assert.strictEqual(answerForSubAgent("full-access", "bash"), "once")
    assert.strictEqual(answerForSubAgent("auto-accept-edits", "edit"), "once")
    assert.isUndefined(answerForSubAgent("auto-accept-edits", "bash"))
    assert.isUndefined(answerForSubAgent("approval-required", "edit"))
    assert.strictEqual(answerForSubAgent("read-only", "bash"), "reject")
  })
})
