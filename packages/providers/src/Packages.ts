/** The agents that npm has, each in the version that our tests run. */
export const packageOf = {
  opencode: { name: "opencode-ai", version: "1.18.33" },
  codex: { name: "@openai/codex", version: "0.169.0" },
  claude: { name: "@anthropic-ai/claude-code", version: "2.1.329" }
} as const

export type PackagedAgent = keyof typeof packageOf
