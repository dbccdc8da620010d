import type { ProviderFailed, ProviderTimeout, ProviderUnavailable } from "@rejoin/contracts/Errors"
import type { ProviderSessionId, StoreId } from "@rejoin/contracts/Ids"

/** What every cursor tells the core; the rest of it is known to its adapter alone. */
export interface ResumeCursor {
  readonly v: number
  readonly driver: string
  readonly providerSessionId: ProviderSessionId
  readonly storeId: StoreId
}

/** A provider did not do what it was asked. Never means that something is absent. */
export type AdapterFailure = ProviderFailed | ProviderTimeout | ProviderUnavailable

export interface Environment {
  /** Variables that the thread adds to the agent's environment; part of what a shared process is pooled by. */
  readonly extraEnv: Readonly<Record<string, string>>
  readonly additionalDirectories: ReadonlyArray<string>
  /**
   * Names what the session's directories bring and their owner has trusted; null where nothing of it may be loaded.
   * Another key is another content.
   */
  readonly loads: string | null
}
