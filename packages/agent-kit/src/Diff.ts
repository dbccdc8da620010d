import { structuredPatch } from "diff"

/** What stood in a file and what stands there now, as far as a diff tells. */
export interface Edit {
  readonly before: string
  readonly after: string
  /** As a patch has them: each with a space, a plus or a minus before it. */
  readonly lines: ReadonlyArray<string>
}

export type Changed =
  | { readonly _tag: "Added"; readonly content: string }
  | { readonly _tag: "Edited"; readonly edits: ReadonlyArray<Edit> }

/** A file that is new, as a difference: all of it was added. */
export const allAdded = (content: string): string =>
  content
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => `+${line}`)
    .join("\n")

/** The change of a text as lines that go (`-`), come (`+`) and stand around; without a file's name. */
export const diffBetween = (before: string, after: string): string =>
  // Of two texts that have little in common the least change is not worth the time: one goes, and the other comes.
  (
    structuredPatch("", "", before, after, "", "", { context: 3, maxEditLength: 2000, timeout: 200 }) ??
    structuredPatch("", "", "", after, "", "", { context: 3 })
  ).hunks
    .map(
      ({ lines, newLines, newStart, oldLines, oldStart }) =>
        `@@ -${oldStart},${oldLines} +${newStart},${newLines} @@\n${lines.join("\n")}\n`
    )
    .join("")

const isHeader = (line: string) => /^(diff |index |--- |\+\+\+ |Index: |={10})/.test(line)

const side = (lines: ReadonlyArray<string>, without: string) =>
  lines
    .filter((line) => !line.startsWith(without))
    .map((line) => line.slice(1))
    .join("\n")

/** The change that a unified diff, or the added lines of a new file, tells of; undefined where it tells of none. */
export const changedBy = (diff: string): Changed | undefined => {
  const hunks: Array<Array<string>> = [[]]
  const all = diff.replace(/\n$/, "").split("\n")
  // A line that begins so is a header only before the first hunk.
  let inHeader = all.some((line) => line.startsWith("@@"))
  for (const line of all) {
    if (line.startsWith("@@")) {
      inHeader = false
      hunks.push([])
    } else if (!(inHeader && isHeader(line)) && /^[ +-]/.test(line)) hunks.at(-1)?.push(line)
  }
  const filled = hunks.filter((lines) => lines.length > 0)
  if (filled.length === 0) return undefined
  if (filled.every((lines) => lines.every((line) => line.startsWith("+")))) {
    return { _tag: "Added", content: side(filled.flat(), "-") }
  }
  return {
    _tag: "Edited",
    edits: filled.map((lines) => ({ before: side(lines, "+"), after: side(lines, "-"), lines }))
  }
}
