import { assert, describe, it } from "@effect/vitest"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { modeOf, powersOf, settingsOf } from "./CodexModes.ts"

const told = {
  "read-only": { sandbox: { type: "readOnly", networkAccess: false }, profile: "rejoin_ro" },
  "approval-required": { sandbox: { type: "readOnly", networkAccess: false }, profile: "rejoin_ro" },
  "auto-accept-edits": { sandbox: { type: "workspaceWrite", networkAccess: false }, profile: "rejoin_ww" },
  "full-access": { sandbox: { type: "dangerFullAccess" }, profile: undefined }
} as const

const powers = (mode: RuntimeMode) => ({
  sandbox: told[mode].sandbox,
  approvalPolicy: powersOf(mode).approvalPolicy,
  approvalsReviewer: "user",
  activePermissionProfile: told[mode].profile === undefined ? null : { id: told[mode].profile }
})

describe("Codex's modes", () => {
  it("law 4: every mode is told apart from every other, and is sent whole", () => {
    for (const mode of RuntimeMode.literals) {
      assert.strictEqual(modeOf(powers(mode)), mode)
      assert.strictEqual(powersOf(mode).approvalsReviewer, "user")
      assert.property(settingsOf(mode), "approvalPolicy")
    }
  })

  it("law 4: what is wider than any of ours is none of them", () => {
    const narrow = powers("read-only")
    const wide = powers("auto-accept-edits")
    const others = [
      { ...narrow, approvalsReviewer: "auto_review" },
      { ...narrow, activePermissionProfile: null },
      { ...narrow, activePermissionProfile: { id: "the-users-own" } },
      { ...narrow, approvalPolicy: "on-failure" },
      { ...narrow, sandbox: { type: "readOnly", networkAccess: true } },
      { ...wide, sandbox: { type: "workspaceWrite", networkAccess: true } },
      { ...wide, approvalPolicy: "never" },
      { ...powers("full-access"), approvalPolicy: { granular: {} } },
      { ...narrow, sandbox: { type: "externalSandbox" } }
    ]
    for (const other of others) assert.strictEqual(modeOf(other), "other", JSON.stringify(other))
  })
})
