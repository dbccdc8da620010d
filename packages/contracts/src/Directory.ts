import { Schema } from "effect"

/** A checkout of a repository. */
export const Worktree = Schema.Struct({
  path: Schema.String,
  /** Absent where no branch is checked out. */
  branch: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "Worktree" })
export type Worktree = typeof Worktree.Type

/** A directory in which threads may work, as a picker shows it. */
export const Directory = Schema.Struct({
  /** Realpath. */
  path: Schema.String,
  /** Absent where threads may not work there. */
  parent: Schema.optionalKey(Schema.String),
  /** Names of the directories in it; hidden ones are left out. */
  directories: Schema.Array(Schema.String),
  /** Where threads may work at all. The last one is where the server was started. */
  roots: Schema.Array(Schema.String),
  /** Every checkout of the repository that it lies in; empty where it lies in none. */
  worktrees: Schema.Array(Worktree)
}).annotate({ identifier: "Directory" })
export type Directory = typeof Directory.Type
