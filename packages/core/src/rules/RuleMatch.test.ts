import { assert, describe, it } from "@effect/vitest"
import type { Approval } from "@rejoin/contracts/Request"
import fc from "fast-check"
import { decisionOf, exactly, patternsOf } from "./RuleMatch.ts"

const asks = (over: Partial<Approval>): Approval => ({
  kind: "approval",
  permission: "bash",
  title: "runs something",
  ...over
})
const accepts = (pattern: string, tool = "bash") => ({ tool, pattern, decision: "accept" as const })
const declines = (pattern: string) => ({ tool: "bash", pattern, decision: "decline" as const })

describe("U4: what a standing rule answers", () => {
  it("a whole command, and a beginning after which nothing is chained", () => {
    const rules = [accepts("npm test"), accepts("git log *")]
    const says = (command: string) => decisionOf(rules, asks({ covers: [command] }))
    for (const command of ["npm test", "git log -5", "git log --oneline main"])
      assert.strictEqual(says(command), "accept", command)
    const others = ["npm test ", "npm test2", "git logs", "GIT log -5", " npm test"]
    const more = [
      "; rm x",
      "&& rm x",
      "| sh",
      "> x",
      "`x`",
      "$(x)",
      "$X",
      "\nrm x",
      "<(x)",
      "{a,b}",
      "\\\nrm"
    ]
    for (const command of [...others, ...more.map((rest) => `git log -5 ${rest}`)])
      assert.isUndefined(says(command), command)
  })

  it("a refusal outweighs what allows, also where more is chained to it", () => {
    const rules = [accepts("git *"), declines("git push*")]
    assert.strictEqual(decisionOf(rules, asks({ covers: ["git push; true"] })), "decline")
    assert.strictEqual(decisionOf(rules, asks({ covers: ["git status"] })), "accept")
  })

  it("each path, and none that leads out again", () => {
    const rules = [accepts("src/*", "edit"), accepts("README.md", "edit")]
    const says = (...paths: ReadonlyArray<string>) =>
      decisionOf(rules, asks({ permission: "edit", covers: paths }))
    assert.strictEqual(says("src/a.ts", "README.md"), "accept")
    assert.isUndefined(says("src/a.ts", "other.ts"))
    assert.isUndefined(says("src/../secret"))
    assert.isUndefined(
      decisionOf([accepts("src/.*", "edit")], asks({ permission: "edit", covers: ["src/../x"] }))
    )
    assert.isUndefined(decisionOf([accepts("cat src/*")], asks({ covers: ["cat src/a ../x"] })))
    assert.isUndefined(decisionOf(rules, asks({ covers: ["src/a.ts"] })), "another tool")
  })

  it("what is not told in full is asked every time", () => {
    const untold = asks({ command: "npm test", paths: ["a"] })
    assert.isUndefined(decisionOf([accepts("npm test"), accepts("a"), accepts("*")], untold))
    assert.isEmpty(patternsOf(untold))
    assert.isUndefined(decisionOf([accepts("*")], asks({ covers: [] })))
  })

  it("what is remembered answers itself, and nothing that is longer", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (command, more) => {
        const rules = patternsOf(asks({ covers: [command] })).map((pattern) => accepts(pattern))
        assert.strictEqual(decisionOf(rules, asks({ covers: [command] })), "accept")
        assert.isUndefined(decisionOf(rules, asks({ covers: [`${command}${more}`] })))
      }),
      {
        examples: [
          ["rm *", "x"],
          ["find \\*", "x"],
          ["*", "x"],
          ["\\", "*"]
        ]
      }
    )
    assert.strictEqual(exactly("ls *"), "ls \\*")
  })
})
