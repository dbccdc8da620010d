import { describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { endings } from "./conformance/Endings.ts"
import type { Harness } from "./conformance/Harness.ts"
import { makeLives } from "./conformance/Lives.ts"
import { place } from "./conformance/Place.ts"
import { powers } from "./conformance/Powers.ts"
import { resume } from "./conformance/Resume.ts"
import type { Test } from "./conformance/Suite.ts"
import { turns } from "./conformance/Turns.ts"

/**
 * What every adapter must do, as far as the capabilities that it declares: on the core, over lives of the server, on
 * an agent that a harness supplies. An adapter that passes this on the real agent keeps the laws.
 */
export const conformance = <E>(name: string, make: Effect.Effect<Harness, E, Scope.Scope>): void => {
  const test: Test = (title, body) => {
    it.live(title, () => Effect.scoped(Effect.flatMap(Effect.flatMap(make, makeLives), body)))
  }
  const suites = { resume, place, powers, turns, endings }
  describe(`conformance: ${name}`, () => {
    for (const [title, suite] of Object.entries(suites)) describe(title, () => suite(test))
  })
}
