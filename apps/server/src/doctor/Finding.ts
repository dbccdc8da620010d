import type { Effect } from "effect"

/** A fix that failed, and why. */
export interface FixFailed {
  readonly message: string
}

/** Something that is not as it should be. */
export interface Finding {
  /** Which check found it. */
  readonly check: string
  /** What it is about: a path, a thread, a provider, a process. */
  readonly about: string
  readonly severity: "problem" | "warning"
  readonly message: string
  /** What its user can do about it, where we cannot. */
  readonly hint?: string
  readonly fix?: {
    /** In words: what is done, and nothing else is. */
    readonly does: string
    readonly run: Effect.Effect<void, FixFailed>
  }
}
