import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { packageOf } from "./Packages.ts"

describe("the agents that npm has", () => {
  it("each in the version that is installed for the tests", () => {
    const workspace = readFileSync(new URL("../../../pnpm-workspace.yaml", import.meta.url), "utf8")
    for (const { name, version } of Object.values(packageOf))
      assert.match(workspace, new RegExp(`^  "?${name}"?: ${version.replaceAll(".", "\\.")}$`, "m"))
  })
})
