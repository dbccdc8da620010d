import { assert, describe, it } from "@effect/vitest"
import { coversOf } from "./OpenCodeCovers.ts"

const of = (permission: string, patterns: ReadonlyArray<string>, metadata: Record<string, unknown> = {}) =>
  coversOf({ permission, patterns, metadata } as unknown as Parameters<typeof coversOf>[0]).covers

describe("U4: what a rule has to cover of OpenCode's requests", () => {
  it("a whole command, plain edits, what is told by patterns; nothing of the rest", () => {
    assert.deepEqual(of("bash", ["npm *"], { command: "npm test" }), ["npm test"])
    assert.isUndefined(of("bash", ["npm test"]))
    assert.deepEqual(of("edit", ["a.ts"]), ["a.ts"])
    assert.isUndefined(of("edit", ["a.ts"], { files: [{ type: "move", movePath: "/x" }] }))
    assert.isUndefined(of("edit", ["a.ts"], { files: [{ type: "delete" }] }))
    assert.isUndefined(of("edit", ["a.ts"], { files: "unknown" }))
    assert.deepEqual(of("webfetch", ["https://a"]), ["https://a"])
    for (const permission of ["task", "some_mcp_tool", "webfetch"]) assert.isUndefined(of(permission, ["*"]))
  })
})
