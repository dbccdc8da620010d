import { assert, describe, it } from "@effect/vitest"
import { sayingOf } from "./ClaudeCommands.ts"

const commands = [
  { name: "compact", argumentHint: "<instructions>" },
  { name: "context", argumentHint: "" },
  { name: "model", argumentHint: "<model>" },
  { name: "team:deploy" }
]

describe("a text that begins with a slash", () => {
  it("is a command only where Claude has it, with words only where it takes some", () => {
    for (const input of [
      "/compact",
      "/compact keep the names",
      "/context",
      "/cost",
      "/team:deploy",
      "hello /model"
    ]) {
      assert.deepEqual(sayingOf(input, commands), { text: input })
    }
    for (const input of [
      "/cost centre is 42",
      "/context of this is",
      "/etc/hosts is odd",
      "/",
      "// a comment"
    ]) {
      assert.deepEqual(sayingOf(input, commands), { text: ` ${input}` })
    }
  })

  it("changes no model behind the thread's back, and leaves the conversation for none", () => {
    for (const input of ["/model", "/model opus", "/model is the folder", "/clear the table"]) {
      assert.deepEqual(sayingOf(input, commands), { text: ` ${input}` })
    }
    assert.deepEqual(sayingOf("/clear", commands), { leaves: "/clear" })
    assert.deepEqual(sayingOf("/resume ", []), { leaves: "/resume" })
  })

  it("is words where there are no commands at all", () => {
    assert.deepEqual(sayingOf("/compact", []), { text: " /compact" })
  })
})
