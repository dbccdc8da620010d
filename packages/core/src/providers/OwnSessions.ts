import type { MessageId, ProviderSessionId, StoreId } from "@rejoin/contracts/Ids"
import type { Timestamp } from "@rejoin/contracts/Time"
import type { Attachment } from "@rejoin/contracts/Turn"
import type { Effect, Option } from "effect"
import type { AdapterItem } from "./AdapterEvent.ts"
import type { AdapterFailure, ResumeCursor } from "./ResumeCursor.ts"

/** A session in the agent's own store, whoever began it. */
export interface OwnSession {
  readonly providerSessionId: ProviderSessionId
  readonly title: string
  /** Where it works now; null where that is not told. */
  readonly cwd: string | null
  /** We made it, by what its title or source says. */
  readonly ours?: boolean
  /** Its user put it away in the agent. */
  readonly archived?: boolean
  readonly createdAt: Timestamp
  readonly updatedAt: Timestamp
}

export interface OwnQuery {
  /** Realpath. */
  readonly cwd?: string | undefined
  /** Part of a title, of any case. */
  readonly q?: string | undefined
  /** The last one of the page before. */
  readonly after?: string | undefined
  readonly limit: number
}

/** Newest first. `unreadable` of those that were looked at are there, and cannot be told of. */
export interface OwnPage {
  readonly items: ReadonlyArray<OwnSession>
  readonly storeId: StoreId
  readonly unreadable: number
}

/** A message of its user's, and what came of it. */
export interface Past {
  readonly messageId: MessageId
  readonly input: string
  /** Pictures and files that went with it, as far as the agent keeps what they held. */
  readonly attachments?: ReadonlyArray<Attachment>
  readonly at: Timestamp
  readonly items: ReadonlyArray<AdapterItem>
  /** The agent has finished its answer to it; absent where its record does not tell. */
  readonly ended?: boolean
}

/**
 * What the agent has of its own, from its store; read only. Sub-agents' sessions are none of it. Fails where the store is
 * there and cannot be read: that is no empty one.
 */
export interface OwnSessions<C extends ResumeCursor> {
  list(query: OwnQuery): Effect.Effect<OwnPage, AdapterFailure>
  /** None where there is no such session. */
  find(
    id: string
  ): Effect.Effect<Option.Option<{ readonly session: OwnSession; readonly cursor: C }>, AdapterFailure>
  /**
   * Those of them on which some process works now. Absent where the agent leaves no trace of that, and undefined where the
   * system does not tell.
   */
  held?(ids: ReadonlyArray<ProviderSessionId>): Effect.Effect<ReadonlySet<string> | undefined, AdapterFailure>
  /** What the model sees of it, oldest first. */
  history(cursor: C): Effect.Effect<ReadonlyArray<Past>, AdapterFailure>
}
