/** A line that begins or ends a block of code in Markdown. */
const fenceOf = (line: string) => /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/.exec(line)

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

/** How much of a text is taken: at a paragraph's end, a line's, a word's; or where it has to be, never within a letter. */
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
  const last = head.charCodeAt(room - 1)
  // The first half of a pair of UTF-16 units.
  return last >= 0xd800 && last <= 0xdbff ? room - 1 : room
}

/**
 * A text in parts of at most `limit` UTF-16 units. A block of code that is cut is closed in its part, and opened again in
 * the next one: both within the limit. Without what that adds, the parts joined are the text.
 */
export const split = (text: string, limit: number): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let rest = text
  let open: Open | undefined
  while (rest !== "") {
    const head = open === undefined ? "" : `${open.line}\n`
    // What closes a block of code: a line of its own.
    const whole = head.length + rest.length <= limit
    let taken = whole ? rest.length : cutAt(rest, limit - head.length)
    let behind = openBehind(rest.slice(0, taken), open)
    let tail = behind === undefined || whole ? "" : closing(rest.slice(0, taken), behind)
    while (head.length + taken + tail.length > limit) {
      taken = cutAt(rest, taken - 1 - (head.length + taken + tail.length - limit - 1))
      behind = openBehind(rest.slice(0, taken), open)
      tail = behind === undefined ? "" : closing(rest.slice(0, taken), behind)
    }
    parts.push(`${head}${rest.slice(0, taken)}${tail}`)
    rest = rest.slice(taken)
    open = behind
  }
  return parts.length === 0 ? [""] : parts
}

const closing = (text: string, { mark }: Open) => (text.endsWith("\n") ? mark : `\n${mark}`)
