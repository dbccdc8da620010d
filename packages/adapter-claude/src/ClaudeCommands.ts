/** A command as Claude lists it; without a hint it takes no words after it. */
export interface Command {
  readonly name: string
  readonly argumentHint?: string | undefined
}

/** By which a conversation is left for another one. */
const leaving = new Set(["clear", "new", "reset", "resume", "continue", "branch", "fork"])

/** By which the model, or what Claude may do, is changed for good: those are the thread's to say. */
const changing = new Set([
  "auto-mode-setup",
  "config",
  "effort",
  "fast",
  "mcp",
  "model",
  "output-style",
  "permissions"
])

const command = /^\/([\w:-]+)(?:\s+(\S[^]*))?\s*$/

/**
 * What becomes of a text. One that only looks like a command is words for the model: a blank before it keeps Claude
 * from taking it for one (docs/providers/claude.md: Slash commands). `leaves` is one that is not sent.
 */
export const sayingOf = (
  input: string,
  commands: ReadonlyArray<Command>
): { readonly text: string } | { readonly leaves: string } => {
  if (!input.startsWith("/")) return { text: input }
  const words = { text: ` ${input}` }
  const [, name, rest = ""] = command.exec(input) ?? []
  if (name === undefined) return words
  if (leaving.has(name)) return rest === "" ? { leaves: `/${name}` } : words
  if (commands.length === 0 || changing.has(name)) return words
  // Alone it may be one that Claude does not list; one that it does not have is words to it too.
  if (rest === "") return { text: input }
  const known = commands.find((command) => command.name === name)
  return (known?.argumentHint ?? "") === "" ? words : { text: input }
}
