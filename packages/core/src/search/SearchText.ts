import type { Item } from "@rejoin/contracts/Item"

/** Letters of scripts that put no space between words: each is a word by itself, and a word of them is a phrase. */
const spaceless =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu

/** As words can be found in it. */
export const spaced = (text: string): string => text.replace(spaceless, " $& ")

/** All that was said or done in an item. */
export const textOf = (item: Item): string => {
  const { changes = [], command, output, text, title, toolInput, toolName } = item
  const parts = [
    text,
    command,
    // A title says what a command or a tool says too.
    command === undefined && toolName === undefined ? title : undefined,
    toolName,
    toolInput === undefined ? undefined : JSON.stringify(toolInput),
    ...changes.flatMap(({ diff, path }) => [path, diff]),
    output
  ]
  return parts.filter((part) => part !== undefined && part !== "").join("\n")
}

/** One thing that has to be there: words in a row, of which the last may be the beginning of one. */
export interface Term {
  readonly words: string
  readonly prefix: boolean
}

/** What is looked for. Empty where nothing is that could be found. */
export const termsOf = (query: string): ReadonlyArray<Term> =>
  [...query.matchAll(/"([^"]*)"?|([^\s"]+)/g)].flatMap(([, phrase, word]) => {
    const text = phrase ?? word ?? ""
    const words = text.replaceAll("\0", " ").replace(/\*+$/, "").trim()
    return /[\p{L}\p{N}]/u.test(words) ? [{ words, prefix: text.endsWith("*") }] : []
  })

const before = 60
const after = 140

/** A piece of a text around the first term that is found in it, on one line, and where in that the terms are. */
export const snippetOf = (text: string, terms: ReadonlyArray<Term>) => {
  const line = text.replace(/\s+/g, " ")
  const lower = line.toLowerCase()
  // Where that is as long as it was: else places in one are none in the other.
  const searched = lower.length === line.length ? lower : line
  const wanted = terms.map(({ words }) => words.toLowerCase().replace(/\s+/g, " "))
  const first = Math.min(...wanted.map((word) => searched.indexOf(word)).filter((at) => at >= 0), line.length)
  const from = first === line.length ? 0 : Math.max(0, first - before)
  const start = from > 0 ? "…" : ""
  const piece = line.slice(from, from + before + after)
  const snippet = `${start}${piece}${from + before + after < line.length ? "…" : ""}`
  const marks: Array<readonly [number, number]> = []
  const shown = searched.slice(from, from + before + after)
  for (const word of wanted) {
    for (
      let at = shown.indexOf(word);
      at >= 0 && marks.length < 20;
      at = shown.indexOf(word, at + word.length)
    ) {
      marks.push([at + start.length, at + start.length + word.length])
    }
  }
  return { snippet: snippet.toWellFormed(), marks: marks.toSorted(([a], [b]) => a - b) }
}
