import { afterAll, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { endings } from "./conformance/Endings.ts"
import { handover } from "./conformance/HandOver.ts"
import type { Harness } from "./conformance/Harness.ts"
import { makeLives } from "./conformance/Lives.ts"
import { place } from "./conformance/Place.ts"
import { powers } from "./conformance/Powers.ts"
import { resume } from "./conformance/Resume.ts"
import type { Test } from "./conformance/Suite.ts"
import { turns } from "./conformance/Turns.ts"

export const all = { resume, place, powers, turns, endings, handover }

declare module "vitest" {
  interface TaskMeta {
    /** What a test has found out about its agent, by name. */
    measured?: Record<string, string>
  }
}

/** An agent that lasts for the whole suite, and what makes each test's harness on it. */
export interface Ground<E> {
  readonly harness: Effect.Effect<Harness, E, Scope.Scope>
}

/**
 * What every adapter must do, as far as the capabilities that it declares: on the core, over lives of the server, on
 * an agent that a harness supplies. An adapter that passes this on the real agent keeps the laws.
 */
export const conformance = <E>(
  name: string,
  make: Effect.Effect<Ground<E>, E, Scope.Scope>,
  {
    concurrent = false,
    suites = all
  }: {
    /** All of them, unless its agent cannot have what some are about. */
    readonly suites?: Partial<typeof all>
    /** Side by side, where each has a world of its own: for an agent that makes one wait. */
    readonly concurrent?: boolean
  } = {}
): void => {
  describe(`conformance: ${name}`, { concurrent }, () => {
    const lasting = Scope.makeUnsafe()
    let ground: Ground<E> = { harness: Effect.die("the ground is not laid") }
    beforeAll(async () => {
      ground = await Effect.runPromise(Scope.provide(make, lasting))
    })
    afterAll(() => Effect.runPromise(Scope.close(lasting, Exit.void)))
    const test: Test = (title, body) => {
      it.live(title, ({ task }) =>
        Effect.suspend(() => ground.harness).pipe(
          Effect.flatMap((harness) =>
            makeLives(harness, (what, found) => {
              task.meta.measured = { ...task.meta.measured, [what]: found }
            })
          ),
          Effect.flatMap(body),
          Effect.scoped
        )
      )
    }
    for (const [title, suite] of Object.entries(suites)) describe(title, () => suite(test))
  })
}
