import type { ProviderInstanceId } from "@rejoin/contracts/Ids"
import type { Redacted } from "effect"

export interface OpenCodeOptions {
  readonly id: ProviderInstanceId
  /** OpenCode's own native program. */
  readonly binary: string
  /** A server that somebody else runs, with its password. It is never stopped. */
  readonly url?: string | undefined
  readonly password?: Redacted.Redacted | undefined
  /** The whole environment of the agent. `XDG_DATA_HOME` or `HOME` in it says where the sessions are. */
  readonly environment: Readonly<Record<string, string>>
  /** What of it is the instance's own: a user's terminal is given it too. */
  readonly terminalEnvironment?: Readonly<Record<string, string>>
  /** Merged into OpenCode's configuration for our server only; the user's files stay as they are. */
  readonly config?: Readonly<Record<string, unknown>>
  /** `provider/model` for threads that name none. */
  readonly model?: string | undefined
}

/** One server of an instance. */
export interface ServerOptions {
  readonly provider: string
  /** Absent for a server of ours. A server by URL belongs to somebody else and is never stopped. */
  readonly url?: string | undefined
  readonly password?: Redacted.Redacted | undefined
  readonly binary: string
  /** The whole environment of the process, without the mark of its owner. */
  readonly environment: Readonly<Record<string, string>>
  /** Merged into OpenCode's configuration, for this server only. */
  readonly config: Readonly<Record<string, unknown>>
}
