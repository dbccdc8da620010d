import { Schema } from "effect"

/**
 * An error as data on a turn, a thread or a receipt. `_tag` is one of the tags in Errors.ts; what else that error
 * carries stands beside it.
 */
export const Failure = Schema.StructWithRest(
  Schema.Struct({
    _tag: Schema.NonEmptyString,
    message: Schema.String,
    hint: Schema.optionalKey(Schema.String)
  }),
  [Schema.Record(Schema.String, Schema.Unknown)]
)
export type Failure = typeof Failure.Type
