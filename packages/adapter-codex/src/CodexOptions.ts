import type { ProviderInstanceId } from "@rejoin/contracts/Ids"

export interface CodexOptions {
  readonly id: ProviderInstanceId
  /** Codex's own native program: its npm wrapper aborts turns when it is killed. */
  readonly binary: string
  /** The whole environment of the agent. `CODEX_HOME` or `HOME` in it says where the sessions are. */
  readonly environment: Readonly<Record<string, string>>
  /** What of it is the instance's own: a user's terminal is given it too. */
  readonly terminalEnvironment?: Readonly<Record<string, string>>
  /** Model for threads that name none. */
  readonly model?: string | undefined
}

/** Where an instance keeps its sessions. */
export const codexHome = (environment: Readonly<Record<string, string>>): string =>
  environment["CODEX_HOME"] ?? `${environment["HOME"] ?? ""}/.codex`
