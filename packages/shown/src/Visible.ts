/**
 * What is not seen, or changes how the rest is seen: control characters, marks of direction, characters without width,
 * tags. An agent, a file that it read, a title or a path may have them, and a terminal would obey: what is allowed would
 * not be what was read.
 */
const hidden =
  /(?![\n\t])[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\ufff9-\ufffb\u{13430}-\u{1343f}]/gu

/** Joiners belong to words of some scripts, and to pictures that are put together. */
const joiner = /[\u200c\u200d]/
const joined =
  /[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Sinhala}\p{Script=Malayalam}\p{Script=Kannada}\p{Script=Telugu}\p{Script=Tamil}\p{Script=Syriac}\p{Script=Mongolian}\p{Extended_Pictographic}\p{Emoji_Modifier}]/u

/** Whether what stands before is shown in colours, or as text, belongs to a picture, and to a key. */
const variant = /[\ufe0e\ufe0f]/
const picture = /\p{Extended_Pictographic}/u
const key = /[0-9#*]/

/** The character that ends where `at` is, or begins there. */
const before = (text: string, at: number) => Array.from(text.slice(Math.max(0, at - 2), at)).at(-1) ?? ""
const after = (text: string, at: number) => String.fromCodePoint(text.codePointAt(at) ?? 0)

/** Whether a character that is not seen belongs to what stands around it, and changes how that is seen. */
const belongs = (text: string, character: string, at: number): boolean => {
  const previous = before(text, at)
  const next = after(text, at + character.length)
  if (variant.test(character)) return picture.test(previous) || (key.test(previous) && next === "\u20e3")
  if (!joiner.test(character) || !joined.test(next)) return false
  return joined.test(variant.test(previous) ? before(text, at - previous.length) : previous)
}

const mark = (character: string): string => {
  const code = character.codePointAt(0) ?? 0
  // A picture of its own: ␛ for the one that begins a terminal's commands.
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  if (code === 0x7f) return "␡"
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, "0")}⟩`
}

/** The text with everything in it to be seen. Line ends and tabs stay; what is visible already is not changed. */
export const visible = (text: string): string =>
  text.replaceAll(hidden, (character: string, at: number) =>
    belongs(text, character, at) ? character : mark(character)
  )

// The character is what is looked for.
// oxlint-disable-next-line no-control-regex
const colours = /\u001b\[[0-9;:]*m/g

/** What a program printed: its colours go, everything else is to be seen. */
export const printed = (text: string): string =>
  visible(text.replaceAll(colours, "").replaceAll("\r\n", "\n"))

/** One line, so long at most, with everything in it to be seen. */
export const brief = (text: string, length = 60): string => {
  // Of a text that is very long only the beginning is looked at.
  const line = visible(
    text
      .slice(0, 4 * length)
      .replaceAll(/\s+/g, " ")
      .trim()
  )
  if (line.length <= length && text.length <= 4 * length) return line
  // Not in the middle of a character.
  return `${line.slice(0, length - 1).replace(/[\ud800-\udbff]$/, "")}…`
}
