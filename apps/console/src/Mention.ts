/** A file that is being named: `@` at the beginning of a word, and what was typed of its path so far. */
export interface Mention {
  /** Where its `@` stands. */
  readonly from: number
  readonly q: string
}

export const mentionAt = (text: string, caret: number): Mention | undefined => {
  const found = /(?:^|\s)@([^\s@]*)$/.exec(text.slice(0, caret))
  const q = found?.[1]
  return q === undefined ? undefined : { from: caret - q.length - 1, q }
}

/** The text with the file named in full, and where one types on. A path with a blank in it is quoted. */
export const mentioned = (
  text: string,
  { from, q }: Mention,
  path: string
): { readonly text: string; readonly caret: number } => {
  const name = /\s/.test(path) ? `@"${path}" ` : `@${path} `
  const rest = text.slice(from + 1 + q.length)
  return { text: `${text.slice(0, from)}${name}${rest.replace(/^ /, "")}`, caret: from + name.length }
}
