import { assert, describe, it } from "@effect/vitest"
import { commandIn } from "./Command.ts"
import { codeIn, newCode } from "./Pairing.ts"
import { exceeds, hearing, modesOf } from "./Policy.ts"

const from = (id: string, group?: string, addressed = true) =>
  ({
    _tag: "Said",
    sender: { id, name: "7" },
    groups: group === undefined ? [] : [group],
    addressed
  }) as const

describe("T13: who may talk", () => {
  it("nobody, unless he was let in by his number; in groups only where that was let in, and where it is for the bot", () => {
    assert.strictEqual(hearing({}, false, from("7")), "stranger")
    assert.strictEqual(hearing({}, true, from("7")), "heard")
    assert.strictEqual(hearing({ users: ["7"] }, false, from("7")), "heard")
    assert.strictEqual(hearing({ users: ["7"] }, false, from("8")), "stranger", "a name proves nothing")
    assert.strictEqual(hearing({ users: ["7"] }, false, from("7", "-1")), "passed-over")
    assert.strictEqual(hearing({ users: ["7"], groups: ["-1"] }, false, from("7", "-1")), "heard")
    assert.strictEqual(
      hearing({ users: ["7"], groups: ["-1"] }, false, from("7", "-1", false)),
      "passed-over"
    )
    assert.strictEqual(hearing({ groups: ["-1"] }, false, from("8", "-1")), "passed-over")
    assert.strictEqual(hearing({ openGroups: ["-1"] }, false, from("8", "-1")), "heard")
    assert.strictEqual(hearing({ openGroups: ["-1"] }, false, from("8")), "stranger")
  })

  it("powers go as far as it is said, and never to all of them where nothing is", () => {
    assert.deepEqual(modesOf({}), { first: "approval-required", highest: "approval-required" })
    assert.deepEqual(modesOf({ runtimeMode: "full-access", allow: { highestMode: "read-only" } }), {
      first: "read-only",
      highest: "read-only"
    })
    assert.isTrue(exceeds("full-access", "auto-accept-edits"))
    assert.isFalse(exceeds("read-only", "read-only"))
  })

  it("a code is looked for in nothing but itself", () => {
    const code = newCode()
    assert.strictEqual(codeIn(` /pair ${code.toLowerCase()} `), code)
    assert.strictEqual(codeIn(code), code)
    assert.isUndefined(codeIn(`my code is ${code}`))
    assert.isUndefined(codeIn("ABCDEFG"))
    assert.isUndefined(codeIn("ABCDEFI1"))
  })

  it("what is not a command of ours is the agent's", () => {
    assert.strictEqual(commandIn("/stop", "bot")?._tag, "Stop")
    assert.strictEqual(commandIn("/reset@Bot", "bot")?._tag, "New")
    for (const text of ["/stop@other", "/compact", "stop", "a /stop", "/stops", "//stop"])
      assert.isUndefined(commandIn(text, "bot"), text)
  })
})
