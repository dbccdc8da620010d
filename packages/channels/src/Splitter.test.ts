import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { split } from "./Splitter.ts"

/** A part without what was added to close and to open a block of code. */
const joined = (parts: ReadonlyArray<string>): string => parts.join("")

const marks = (text: string) => text.split("\n").filter((line) => /^ {0,3}```/.test(line)).length

describe("T12: a long text in parts", () => {
  it("each is within the limit, and without blocks of code they are the text, whatever it is", () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom("a", " ", "\n", "é", "💥", "語", "word ", "\n\n"),
          maxLength: 400
        }),
        fc.integer({ min: 120, max: 200 }),
        (text, limit) => {
          const parts = split(text, limit)
          assert.strictEqual(joined(parts), text)
          for (const part of parts) {
            assert.isAtMost(part.length, limit)
            assert.isTrue(part.isWellFormed(), "no letter is cut in two")
          }
        }
      )
    )
  })

  it("blocks of code are whole in each part, within the limit, and nothing of them is lost", () => {
    const line = fc.constantFrom(
      "```ts",
      "```",
      "text of a line",
      "x = `y`",
      "",
      "a ``` b",
      "    ```",
      "~~~",
      "💥💥💥"
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 60 }), fc.integer({ min: 120, max: 200 }), (lines, limit) => {
        const text = lines.join("\n")
        const parts = split(text, limit)
        const letters = (of: string) => of.replaceAll(/^ {0,3}(```|~~~).*$/gm, "").replaceAll("\n", "")
        assert.strictEqual(letters(joined(parts.map((part) => `${part}\n`))), letters(text))
        for (const part of parts) assert.isAtMost(part.length, limit)
      }),
      { numRuns: 300 }
    )
    const code = `before\n\`\`\`ts\n${"const a = 1\n".repeat(50)}\`\`\`\nafter`
    const parts = split(code, 200)
    for (const part of parts) assert.strictEqual(marks(part) % 2, 0, part)
    assert.isTrue(parts.slice(1, -1).every((part) => part.startsWith("```ts\n") && part.endsWith("```")))
  })

  it("ends, whatever stands in it: a line that is no fence is text", () => {
    for (const [mark, length, limit] of [
      ["~", 2500, 2000],
      ["`", 11_500, 11_000],
      ["~", 1030, 1024]
    ] as const) {
      const text = `${mark.repeat(length)}\nbehind ${"x".repeat(limit)}`
      const parts = split(text, limit)
      assert.strictEqual(joined(parts), text)
      for (const part of parts) assert.isAtMost(part.length, limit)
    }
  })

  it("is cut at a paragraph's end where there is one, and an empty text is one part", () => {
    assert.deepEqual(split(`${"a".repeat(100)}\n\n${"b".repeat(100)}`, 200), [
      `${"a".repeat(100)}\n\n`,
      "b".repeat(100)
    ])
    assert.deepEqual(split("", 100), [""])
  })
})
