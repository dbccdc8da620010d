import { Schema } from "effect"

/** What an agent's own hook wrote down in a user's terminal: which process it was, and what it was told. */
export const TerminalReport = Schema.Struct({ pid: Schema.Int, told: Schema.Unknown })
export type TerminalReport = typeof TerminalReport.Type

export const isTerminalReport = Schema.is(TerminalReport)

/**
 * Those of the agent that was opened: the first to report. What it starts in the background inherits the hook, and
 * is no terminal (docs/providers/claude.md: `/fork`).
 */
export const ofTheTerminal = (reports: ReadonlyArray<TerminalReport>): ReadonlyArray<unknown> =>
  reports.filter(({ pid }) => pid === reports[0]?.pid).map(({ told }) => told)

/** Where a terminal went: to another session, which may have come out of the one before. */
export interface Step {
  readonly id: string
  readonly derived: boolean
}

/**
 * The session in which the conversation goes on. A session that came out of it is followed, as long as it is the one
 * that is looked at: one that the user opens beside it is another conversation, and so is what comes out of that.
 */
export const followedFrom = (bound: string, steps: ReadonlyArray<Step>): string => {
  let shown = bound
  let followed = bound
  for (const { derived, id } of steps) {
    if (derived && shown === followed) followed = id
    shown = id
  }
  return followed
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

/**
 * A hook's command for a POSIX shell: it writes its input down as a report. It says nothing and never fails (E5, E6):
 * the input is read to its end before anything can go wrong, or who writes it would see a broken pipe, and the line
 * is written by one command, since another process's may be written at the same time.
 */
export const reportCommand = (path: string): string =>
  `told=$(tr -d '\\n'); { printf '{"pid":%s,"told":%s}\\n' "$PPID" "$told" >> ${quoted(path)}; } 2>/dev/null || true`

/** The user's own options without those that would choose a session (E3): `valued` ones take their value along. */
export const withoutFlags = (
  flags: ReadonlyArray<string>,
  { plain, valued }: { readonly plain: ReadonlyArray<string>; readonly valued: ReadonlyArray<string> }
): ReadonlyArray<string> => {
  const kept: Array<string> = []
  for (let i = 0; i < flags.length; i++) {
    const flag = flags[i] ?? ""
    const name = flag.split("=")[0] ?? ""
    if (plain.includes(name)) continue
    if (!valued.includes(name)) kept.push(flag)
    // Its value stands in the next place, unless it is not given at all.
    else if (!flag.includes("=") && flags[i + 1]?.startsWith("-") === false) i++
  }
  return kept
}
