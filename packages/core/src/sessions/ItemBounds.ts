import type { AdapterItem } from "../providers/AdapterEvent.ts"

/** Of what a tool printed: a command may print for as long as it likes, and nobody reads it here (S3). */
const most = { lines: 500, characters: 100_000 }

/** Not in the middle of a character. */
const cut = (text: string, at: number): string => text.slice(0, at).replace(/[\ud800-\udbff]$/, "")

/** The beginning of what was printed, and how much more there was. */
export const bounded = (output: string): string => {
  const short = cut(output, most.characters)
  let end = -1
  for (let line = 0; line < most.lines; line++) {
    end = short.indexOf("\n", end + 1)
    if (end < 0) break
  }
  if (end >= 0 && end < output.length - 1) {
    let more = output.endsWith("\n") ? 0 : 1
    for (let at = end; (at = output.indexOf("\n", at + 1)) >= 0;) more++
    return `${short.slice(0, end)}\n(${more} more ${more === 1 ? "line" : "lines"})`
  }
  return short.length === output.length
    ? output
    : `${short}\n(${output.length - short.length} more characters)`
}

/** Whether more of it would be beyond what is kept. */
export const isFull = (output: string | undefined): boolean => (output?.length ?? 0) >= most.characters

/** An item as it is kept: its output, its diffs and what a tool was given are bounded. */
export const boundedItem = (item: AdapterItem): AdapterItem => ({
  ...item,
  ...(item.output !== undefined && { output: bounded(item.output) }),
  ...(item.changes !== undefined && {
    changes: item.changes.map(({ diff, path }) => ({ path, diff: bounded(diff) }))
  }),
  ...(item.toolInput !== undefined && { toolInput: boundedInput(item.toolInput) })
})

const boundedInput = (input: unknown): unknown => {
  const text = JSON.stringify(input) ?? ""
  return text.length <= most.characters ? input : bounded(text)
}
