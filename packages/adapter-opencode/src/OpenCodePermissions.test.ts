import { assert, describe, it } from "@effect/vitest"
import {
  answerForSubAgent,
  modeOf,
  rulesOf,
  serverPermission,
  widening,
  withAsking
} from "./OpenCodePermissions.ts"

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

  it("law 4: an agent that allows something by name is told to ask for it by that name", () => {
    const rules = (...pairs: ReadonlyArray<readonly [string, "allow" | "ask" | "deny"]>) =>
      pairs.map(([permission, action]) => ({ permission, pattern: "*", action }))
    const found = widening([
      { name: "quiet", permission: rules(["*", "allow"], ["bash", "allow"]) },
      { name: "late", permission: rules(["*", "ask"], ["webfetch", "allow"], ["read", "allow"]) },
      { name: "asking", permission: rules(["*", "allow"], ["*", "ask"], ["grep", "allow"]) },
      { name: "denied", permission: rules(["*", "ask"], ["bash", "deny"]) }
    ])
    assert.deepEqual(found, { quiet: ["*", "bash"], late: ["*", "read", "webfetch"] })
    assert.deepEqual(withAsking({ agent: { quiet: { mode: "subagent" } } }, found), {
      agent: {
        quiet: { mode: "subagent", permission: { ...serverPermission, bash: "ask" } },
        late: { permission: { ...serverPermission, webfetch: "ask" } }
      }
    })
    assert.deepEqual(withAsking({ a: 1 }, {}), { a: 1 })
  })
})
