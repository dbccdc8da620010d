import { assert, describe, it } from "@effect/vitest"
import { brief, printed, visible } from "./Visible.ts"

const esc = "\u001b"

describe("what is shown to people is to be seen", () => {
  it("whatever a terminal or a browser would act on or hide has a mark", () => {
    const cases = [
      [`a${esc}[2K\rb`, "a␛[2K␍b"],
      [`${esc}]52;c;x\u0007`, "␛]52;c;x␇"],
      ["\u009b31m", "⟨U+009B⟩31m"],
      ["rm \u202etxt.exe", "rm ⟨U+202E⟩txt.exe"],
      ["\u2066ls\u2069", "⟨U+2066⟩ls⟨U+2069⟩"],
      ["pay\u200bpal", "pay⟨U+200B⟩pal"],
      ["\ufeffx\u00ady", "⟨U+FEFF⟩x⟨U+00AD⟩y"],
      ["\u{e0041}", "⟨U+E0041⟩"],
      ["a\u200db", "a⟨U+200D⟩b"],
      ["a\u0000b\u007f", "a␀b␡"],
      ["a\u2028b", "a⟨U+2028⟩b"],
      ["a\ufe00b\ufe0f", "a⟨U+FE00⟩b⟨U+FE0F⟩"],
      ["x\ufe0f\u200d\ufe0fy", "x⟨U+FE0F⟩⟨U+200D⟩⟨U+FE0F⟩y"],
      ["1\ufe0f2", "1⟨U+FE0F⟩2"],
      ["\ufff5\u{13430}\u{1bca0}", "⟨U+FFF5⟩⟨U+13430⟩⟨U+1BCA0⟩"]
    ] as const
    for (const [text, shown] of cases) assert.strictEqual(visible(text), shown)
  })

  it("what people write stays as it is, and twice is once", () => {
    for (const text of ["a\n\tb", "äöü ß 漢字 עברית", "👩‍👩‍👧 🏳️‍🌈 👍🏽 ❤️ 1️⃣ ☎︎", "می‌خواهم", "क्‍ष", "\ud83d\ude00"]) {
      assert.strictEqual(visible(text), text)
      assert.strictEqual(visible(visible(`${esc}${text}`)), visible(`${esc}${text}`))
    }
  })

  it("a program's colours go, and nothing else with them", () => {
    assert.strictEqual(printed(`${esc}[1;31mred${esc}[0m\r\n${esc}[2Jx`), "red\n␛[2Jx")
  })

  it("a short line is no longer than asked, and cuts no character in two", () => {
    assert.strictEqual(brief("a\n  b"), "a b")
    assert.strictEqual(brief("x".repeat(100), 10), `${"x".repeat(9)}…`)
    assert.strictEqual(brief(`${"x".repeat(8)}😀😀`, 10), `${"x".repeat(8)}…`)
    assert.include(brief(`${esc}[31mtitle`), "␛[31m")
  })
})
