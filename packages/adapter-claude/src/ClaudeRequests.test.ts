import { assert, describe, it } from "@effect/vitest"
import { askOf } from "./ClaudeRequests.ts"

const coversOf = (tool_name: string, input: Record<string, unknown>) => {
  const ask = askOf({ tool_name, input } as Parameters<typeof askOf>[0], () => "unknown")
  return ask.kind === "approval" ? ask.covers : undefined
}

describe("U4: what a rule has to cover of Claude's tools", () => {
  it("a command, a file; of every other tool the whole input, in one order", () => {
    assert.deepEqual(coversOf("Bash", { command: "npm test", description: "tests", timeout: 1 }), [
      "npm test"
    ])
    const unsafe = { command: "npm test", dangerouslyDisableSandbox: true }
    assert.notDeepEqual(coversOf("Bash", unsafe), ["npm test"])
    assert.deepEqual(coversOf("Write", { file_path: "/a", content: "x" }), ["/a"])
    const page = { url: "https://a", prompt: "Summarize" }
    assert.deepEqual(
      coversOf("WebFetch", page),
      coversOf("WebFetch", { prompt: "Summarize", url: "https://a" })
    )
    assert.notDeepEqual(coversOf("WebFetch", page), coversOf("WebFetch", { ...page, url: "https://b" }))
    for (const field of ["command", "file_path", "query"]) {
      const [one, other] = ["dev", "prod"].map((host) => coversOf("mcp__a__b", { [field]: "x", host }))
      assert.notDeepEqual(one, other, field)
    }
  })
})
