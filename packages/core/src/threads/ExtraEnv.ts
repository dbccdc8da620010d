/**
 * What a request may add to an agent's environment without being asked who it is: how things are told and shown, and
 * what programs of a project's own are told. Whatever else a variable does (whose account is used, which code is loaded,
 * which way calls go, which program is run) is not to be listed: so only what is known to do none of it is let through
 * (S6). What an operator adds in `config.json` (`extraEnv`) is theirs to judge; an instance's `env` is not filtered.
 */
// FOO and BAR are nobody's: what examples call theirs.
const known = new Set([
  "APP_ENV",
  "CI",
  "CLICOLOR",
  "CLICOLOR_FORCE",
  "COLORTERM",
  "COLUMNS",
  "DEBUG",
  "FOO",
  "BAR",
  "FORCE_COLOR",
  "LANG",
  "LANGUAGE",
  "LINES",
  "LOG_LEVEL",
  "NO_COLOR",
  "PORT",
  "RUST_BACKTRACE",
  "RUST_LOG",
  "TERM",
  "TZ",
  "VERBOSE"
])

/** Of a project's own, by these beginnings. */
const beginnings = ["APP_", "LC_", "MY_", "PROJECT_", "TASK_", "TEST_", "THREAD_", "VITE_"]

export interface FilteredEnv {
  readonly allowed: Readonly<Record<string, string>>
  readonly rejected: ReadonlyArray<string>
}

/** `MY_*` stands for every name that begins so. */
const matches = (name: string, listed: string): boolean =>
  listed.endsWith("*") ? name.startsWith(listed.slice(0, -1)) : name === listed

/** Parts what a request adds to the environment into what reaches the agent and what does not. */
export const filterExtraEnv = (
  env: Readonly<Record<string, string>>,
  operator: ReadonlyArray<string> = []
): FilteredEnv => {
  const isAllowed = (name: string) =>
    known.has(name) ||
    beginnings.some((beginning) => name.startsWith(beginning)) ||
    operator.some((listed) => matches(name, listed))
  const entries = Object.entries(env)
  return {
    allowed: Object.fromEntries(entries.filter(([name]) => isAllowed(name))),
    rejected: entries.map(([name]) => name).filter((name) => !isAllowed(name))
  }
}
