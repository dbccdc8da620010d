import { assert, describe, it } from "@effect/vitest"
import { askOf } from "./CodexRequests.ts"

type Request = Parameters<typeof askOf>[0]
type Item = Parameters<typeof askOf>[1]

const coversOf = (method: string, params: Record<string, unknown>, item?: unknown) => {
  const ask = askOf({ method, params } as unknown as Request, item as Item, "/r")
  return ask.kind === "approval" ? ask.covers : undefined
}

describe("U4: what a rule has to cover of Codex's requests", () => {
  const run = "item/commandExecution/requestApproval"
  it("a command in the thread's directory, by a shell of the system", () => {
    assert.deepEqual(coversOf(run, { command: "/bin/bash -lc 'npm test'", cwd: "/r" }), ["npm test"])
    assert.deepEqual(coversOf(run, { command: "/r/bash -lc 'npm test'", cwd: "/r" }), [
      "/r/bash -lc 'npm test'"
    ])
    assert.isUndefined(coversOf(run, { command: "rm -rf build", cwd: "/home" }))
    assert.isUndefined(coversOf(run, { command: null, networkApprovalContext: { host: "evil" } }))
    assert.isUndefined(coversOf(run, { command: "curl a", networkApprovalContext: { host: "evil" } }))
    assert.isUndefined(coversOf(run, { command: "ls", additionalPermissions: { network: true } }))
  })

  it("files that are written; none that is moved or deleted, and no wider root", () => {
    const change = "item/fileChange/requestApproval"
    const item = (kind: unknown) => ({ type: "fileChange", changes: [{ path: "/r/a", diff: "", kind }] })
    assert.deepEqual(coversOf(change, {}, item({ type: "update" })), ["/r/a"])
    assert.deepEqual(coversOf(change, {}, item({ type: "update", move_path: "/x" })), ["/r/a", "/x"])
    assert.isUndefined(coversOf(change, {}, item({ type: "delete" })))
    assert.isUndefined(coversOf(change, { grantRoot: "/" }, item({ type: "update" })))
    assert.isUndefined(coversOf(change, {}))
    assert.isUndefined(coversOf("item/permissions/requestApproval", { reason: "x", permissions: {} }))
  })
})
