import { Schema } from "effect"

/** There is no server, and none could be started. */
export class ServerAway extends Schema.TaggedError<ServerAway>()("ServerAway", {
  message: Schema.String,
  hint: Schema.optionalKey(Schema.String)
}) {}
