import { Schema } from "effect"
import { ItemId, ProviderInstanceId, ThreadId, TurnId } from "./Ids.ts"
import { ItemKind } from "./Item.ts"

/** Where something was said or done. */
export const SearchHit = Schema.Struct({
  threadId: ThreadId,
  /** What the thread is called. */
  title: Schema.String,
  project: Schema.optionalKey(Schema.String),
  provider: ProviderInstanceId,
  itemId: ItemId,
  turnId: TurnId,
  kind: ItemKind,
  /** A piece of it around the first place that fits. */
  snippet: Schema.String,
  /** Where in that the words are, in UTF-16 units: from, and up to. */
  marks: Schema.Array(Schema.Tuple([Schema.Int, Schema.Int]))
}).annotate({ identifier: "SearchHit" })
export type SearchHit = typeof SearchHit.Type
