import { Schema } from "effect"
import { Timestamp } from "./Time.ts"

/**
 * Something that a directory brings for an agent, and that would run code, choose where the agent's calls go, or widen
 * what it may do.
 */
export const Brought = Schema.Struct({
  /** The driver whose agent reads it. */
  agent: Schema.String,
  /** Its path: a file, or a directory of files. */
  file: Schema.String,
  /** What of it matters, as far as it can be told: `hooks, env`. */
  what: Schema.String,
  /** SHA-256 of what it holds: another content is asked about again. */
  hash: Schema.String
})
export type Brought = typeof Brought.Type

/** A directory, and what it brought when its owner trusted it. */
export const TrustedDirectory = Schema.Struct({
  /** Realpath. */
  path: Schema.String,
  found: Schema.Array(Brought),
  trustedAt: Timestamp
}).annotate({ identifier: "TrustedDirectory" })
export type TrustedDirectory = typeof TrustedDirectory.Type

/** What a directory brings now, and whether its owner has trusted just that. */
export const DirectoryBrings = Schema.Struct({
  /** Realpath. */
  path: Schema.String,
  found: Schema.Array(Brought),
  trusted: Schema.Boolean
}).annotate({ identifier: "DirectoryBrings" })
export type DirectoryBrings = typeof DirectoryBrings.Type
