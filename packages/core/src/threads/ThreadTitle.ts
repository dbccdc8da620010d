/** What a thread is called that was given no name: the first line of what was said in it, of at most 80 characters. */
export const titleFrom = (input: string): string => {
  const line = input.trim().split("\n", 1)[0] ?? ""
  // Not in the middle of a character.
  return line.length > 80 ? `${line.slice(0, 79).replace(/[\ud800-\udbff]$/, "")}…` : line
}

/** What a fork of a thread is called: of the same one a number tells them apart, and no word is said twice. */
export const forkTitle = (title: string): string => {
  if (title === "") return ""
  const [whole = "", number = "1"] = / \(fork(?: (\d+))?\)$/.exec(title) ?? []
  if (whole === "") return `${title} (fork)`
  return `${title.slice(0, -whole.length)} (fork ${Number(number) + 1})`
}
