import type { Effect, Scope } from "effect"
import type { Lives } from "./Lives.ts"

/** One test of the suite, on a world of its own. */
export type Test = <E>(name: string, body: (lives: Lives) => Effect.Effect<void, E, Scope.Scope>) => void

export type Suite = (test: Test) => void
