import type { ProviderInstanceId } from "@rejoin/contracts/Ids"

export interface AcpOptions {
  readonly id: ProviderInstanceId
  /** The agent's program and its arguments, by which it speaks the protocol on standard input and output. */
  readonly command: readonly [string, ...ReadonlyArray<string>]
  /** The whole environment of the agent. Where it keeps its sessions follows from it. */
  readonly environment: Readonly<Record<string, string>>
  /** In which its processes start, and no session works: always the same, since one may leave a record of nothing there. */
  readonly directory: string
  /** Model for threads that name none. */
  readonly model?: string | undefined
}
