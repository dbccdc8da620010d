// What a request may not set in an agent's environment: it would change whose account is used, which code is
// loaded, or which program is run (S6). An instance's configured `env` is the operator's and is not filtered.
const prefixes = [
  "CLAUDE",
  "CODEX",
  "OLLAMA",
  "ANTHROPIC_",
  "OPENAI_",
  "OPENCODE",
  "REJOIN_",
  "LD_",
  "DYLD_",
  "XDG_",
  "NODE_",
  "BUN_",
  "GIT_"
]
const names = ["PATH", "HOME", "SHELL", "ENV", "BASH_ENV"]

export interface FilteredEnv {
  readonly allowed: Readonly<Record<string, string>>
  readonly rejected: ReadonlyArray<string>
}

const isRejected = (name: string): boolean => {
  const upper = name.toUpperCase()
  return names.includes(upper) || prefixes.some((prefix) => upper.startsWith(prefix))
}

/** Parts what a request adds to the environment into what reaches the agent and what does not, in any case. */
export const filterExtraEnv = (env: Readonly<Record<string, string>>): FilteredEnv => ({
  allowed: Object.fromEntries(Object.entries(env).filter(([name]) => !isRejected(name))),
  rejected: Object.keys(env).filter(isRejected)
})
