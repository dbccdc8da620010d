import type { StoreFailed } from "@rejoin/contracts/Errors"
import type { RuleId, ThreadId } from "@rejoin/contracts/Ids"
import type { Rule } from "@rejoin/contracts/Rule"
import type { Effect } from "effect"

/** The standing answers to approvals. Those of a thread go with it. */
export interface RuleStore {
  readonly save: (rule: Rule) => Effect.Effect<void, StoreFailed>
  /** Oldest first: all of them, or those of a thread and of a project. */
  readonly list: (of?: {
    readonly thread: ThreadId
    readonly project: string | null
  }) => Effect.Effect<ReadonlyArray<Rule>, StoreFailed>
  /** False where there is none of this id. */
  readonly remove: (id: RuleId) => Effect.Effect<boolean, StoreFailed>
}
