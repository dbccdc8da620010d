/** A line that begins or ends a block of code in Markdown. One that is longer than any is text. */
const fenceOf = (line: string) =>
  line.length > 200 ? null : /^ {0,3}(`{3,20}|~{3,20})(?![`~])\s*([^`]*)$/.exec(line)

interface Open {
  readonly mark: string
  readonly line: string
}

/** The block of code that is open behind a text. */
const openBehind = (text: string, before: Open | undefined): Open | undefined => {
  let open = before
  for (const line of text.split("\n")) {
    const found = fenceOf(line)
    const mark = found?.[1]
    if (mark === undefined) continue
    if (open === undefined) open = { mark, line: line.slice(0, 40) }
    else if (mark.startsWith(open.mark) && found?.[2]?.trim() === "") open = undefined
  }
  return open
}

/** So many units of a text at most, and never half a letter: a pair of UTF-16 units stays together. */
export const cutText = (text: string, atMost: number): string => {
  const last = text.charCodeAt(atMost - 1)
  return text.slice(0, text.length > atMost && last >= 0xd800 && last <= 0xdbff ? atMost - 1 : atMost)
}

/** How much of a text is taken: at a paragraph's end, a line's, a word's; or where it has to be. */
const cutAt = (text: string, room: number): number => {
  if (text.length <= room) return text.length
  const head = text.slice(0, room)
  for (const [end, least] of [
    ["\n\n", 0.5],
    ["\n", 0.3],
    [" ", 0.3]
  ] as const) {
    const at = head.lastIndexOf(end)
    if (at >= room * least) return at + end.length
  }
  return cutText(text, room).length
}

/** What closes a block of code, and opens it again, is no longer than this, and a limit is always more. */
const spare = 64

/**
 * A text in parts of at most `limit` UTF-16 units, which is 100 at least. A block of code that is cut is closed in its part,
 * and opened again in the next one: both within the limit. Without what that adds, the parts joined are the text.
 */
export const split = (text: string, limit: number): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let rest = text
  let open: Open | undefined
  while (rest !== "") {
    const head = open === undefined ? "" : `${open.line}\n`
    const isLast = head.length + rest.length <= limit
    const taken = rest.slice(0, isLast ? rest.length : cutAt(rest, limit - spare))
    open = openBehind(taken, open)
    const tail = open === undefined || isLast ? "" : closing(taken, open)
    parts.push(`${head}${taken}${tail}`)
    rest = rest.slice(taken.length)
  }
  return parts.length === 0 ? [""] : parts
}

const closing = (text: string, { mark }: Open) => (text.endsWith("\n") ? mark : `\n${mark}`)
