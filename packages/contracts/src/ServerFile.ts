import { Schema } from "effect"

/** Who serves on a data directory: its `server.json`, for those who look for a server and those who are refused. */
export const ServerFile = Schema.Struct({
  pid: Schema.Int,
  url: Schema.String,
  version: Schema.String,
  /** Of this run: by it the server proves that it is the one that wrote this (`proofOf`). */
  proofKey: Schema.optionalKey(Schema.String),
  /** Where its threads may work. */
  roots: Schema.optionalKey(Schema.Array(Schema.String))
})
export type ServerFile = typeof ServerFile.Type

/** The same as the text of that file. */
export const ServerFileJson = Schema.fromJsonString(ServerFile)
