import type { ProviderInstanceId } from "@rejoin/contracts/Ids"

export interface ClaudeOptions {
  readonly id: ProviderInstanceId
  /** Claude Code's own native program. */
  readonly binary: string
  /** The whole environment of the agent. `CLAUDE_CONFIG_DIR` or `HOME` in it says where the sessions are. */
  readonly environment: Readonly<Record<string, string>>
  /** What of it is the instance's own: a user's terminal is given it too. */
  readonly terminalEnvironment?: Readonly<Record<string, string>>
  /** Model for threads that name none. */
  readonly model?: string | undefined
}

/** Where an instance keeps its sessions. */
export const configDirectory = (environment: Readonly<Record<string, string>>): string =>
  environment["CLAUDE_CONFIG_DIR"] ?? `${environment["HOME"] ?? ""}/.claude`
