import { Schema } from "effect"

/** A file that is not as the last commit has it. */
export const ChangedFile = Schema.Struct({
  /** From the checkout's root. */
  path: Schema.String,
  status: Schema.Literals(["added", "modified", "deleted", "untracked"]),
  /** Lines; null of a file that is no text, or that is untracked and not read. */
  added: Schema.NullOr(Schema.Int),
  removed: Schema.NullOr(Schema.Int),
  /** Unified, from the first hunk on; empty of what is no text, and behind the end of what is told at once. */
  diff: Schema.String
})
export type ChangedFile = typeof ChangedFile.Type

/** What a checkout has beside its last commit, whoever made it. */
export const WorkingTree = Schema.Struct({
  /** The checkout's root; null where the directory lies in none. */
  root: Schema.NullOr(Schema.String),
  /** In the order of their paths; untracked ones come last. Ignored ones are left out. */
  files: Schema.Array(ChangedFile),
  /** There is more than is told: 500 files, 1 MB of differences. */
  truncated: Schema.Boolean
}).annotate({ identifier: "WorkingTree" })
export type WorkingTree = typeof WorkingTree.Type
