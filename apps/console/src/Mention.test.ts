import { assert, describe, it } from "@effect/vitest"
import { mentionAt, mentioned } from "./Mention.ts"

describe("a file that is named in a message", () => {
  it("begins with @ at the beginning of a word, up to where one types", () => {
    assert.deepEqual(mentionAt("look at @src/A", 14), { from: 8, q: "src/A" })
    assert.deepEqual(mentionAt("@", 1), { from: 0, q: "" })
    assert.deepEqual(mentionAt("first\n@b and more", 8), { from: 6, q: "b" })
    assert.isUndefined(mentionAt("ada@example.org", 15))
    assert.isUndefined(mentionAt("@done already", 13))
    assert.isUndefined(mentionAt("no", 2))
  })

  it("is put in its place in full, and one types on behind it", () => {
    assert.deepEqual(mentioned("see @ap and go", { from: 4, q: "ap" }, "src/App.tsx"), {
      text: "see @src/App.tsx and go",
      caret: 17
    })
    assert.deepEqual(mentioned("@", { from: 0, q: "" }, "my file"), { text: '@"my file" ', caret: 11 })
  })
})
