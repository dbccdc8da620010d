import type { StoreFailed } from "@rejoin/contracts/Errors"
import type { Item } from "@rejoin/contracts/Item"
import type { Effect } from "effect"
import type { Term } from "../search/SearchText.ts"
import type { ThreadRecord } from "./Records.ts"

/** An item in which something was found, and its thread. */
export interface Found {
  readonly thread: ThreadRecord
  readonly item: Item
}

/** Over everything that was said and done. What is written with `saveItems` is found from then on. */
export interface SearchStore {
  /** Those that have all of the terms: of the newest thousand the best first, and then the next thousand. */
  readonly find: (
    terms: ReadonlyArray<Term>,
    page: {
      readonly project?: string | undefined
      readonly provider?: string | undefined
      readonly thread?: string | undefined
      readonly skip: number
      readonly limit: number
    }
  ) => Effect.Effect<ReadonlyArray<Found>, StoreFailed>
  /** Makes some of what an older version wrote findable, the newest first. False where nothing is left to do. */
  readonly fill: Effect.Effect<boolean, StoreFailed>
}
