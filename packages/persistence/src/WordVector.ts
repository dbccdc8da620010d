import { spaced, type Term } from "@rejoin/core/search/SearchText"

// PostgreSQL's own parser takes paths, addresses and versions for one word each; so the words are ours, as SQLite's
// tokenizer finds them. Its limits: https://www.postgresql.org/docs/current/textsearch-limitations.html
/** No place behind this one can be told. */
const placesAtMost = 16_383
/** So often one word is told. */
const timesAtMost = 255
/** In UTF-16 units: a word has 2 KB at most. */
const longestWord = 500
/** In bytes: a vector has 1 MB at most. */
const largest = 900_000

/** Without case and accents. */
const wordsIn = (text: string): ReadonlyArray<string> =>
  (
    spaced(text)
      .normalize("NFD")
      .replace(/[\u0300-\u036f\u20d0-\u20ff]/g, "")
      .toLowerCase()
      .replaceAll("ς", "σ")
      .match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu) ?? []
  ).map((word) => word.slice(0, longestWord).toWellFormed())

/**
 * The words of a text and where they stand, as a `tsvector` is written. `full` where not all places could be told: then a
 * phrase that is there may not be found by them.
 */
export const vectorOf = (text: string): { readonly vector: string; readonly full: boolean } => {
  const places = new Map<string, Array<number>>()
  let size = 0
  let place = 0
  let full = false
  for (const word of wordsIn(text)) {
    place++
    const known = places.get(word)
    const more = (known === undefined ? Buffer.byteLength(word) + 4 : 0) + 2
    full ||= size + more > largest || place > placesAtMost || known?.length === timesAtMost
    if (size + more > largest) continue
    if (known !== undefined && (known.length >= timesAtMost || place > placesAtMost)) continue
    size += more
    if (known === undefined) places.set(word, [Math.min(place, placesAtMost)])
    else known.push(place)
  }
  return { vector: Array.from(places, ([word, at]) => `'${word}':${at.join(",")}`).join(" "), full }
}

/** What is looked for, as a `tsquery` is written: its phrases, or only all of their words. Undefined where that is nothing. */
export const queryOf = (terms: ReadonlyArray<Term>, between: "<->" | "&"): string | undefined => {
  const wanted = terms.flatMap(({ prefix, words }) => {
    const found = wordsIn(words).map((word) => `'${word}'`)
    if (found.length === 0) return []
    return [`(${found.join(` ${between} `)}${prefix ? ":*" : ""})`]
  })
  return wanted.length === 0 ? undefined : wanted.join(" & ")
}
