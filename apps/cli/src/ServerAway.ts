import { Schema } from "effect"

/** There is no server to be asked. */
export class ServerAway extends Schema.TaggedError<ServerAway>()("ServerAway", {
  message: Schema.String,
  hint: Schema.optionalKey(Schema.String),
  /** Another server holds the data directory. */
  held: Schema.optionalKey(Schema.Boolean)
}) {}
