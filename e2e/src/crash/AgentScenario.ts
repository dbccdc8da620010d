import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import fc from "fast-check"

/** Where a thread may be moved to, by the names of the ground. */
export const places = ["repo", "tree", "other"] as const

export type Doing =
  | {
      readonly _tag: "Say" | "Pwd" | "Write" | "Hold" | "Steer" | "Stop" | "Fork"
      readonly thread: number
    }
  | { readonly _tag: "Move"; readonly thread: number; readonly place: number }
  | { readonly _tag: "Mode"; readonly thread: number; readonly mode: RuntimeMode }

const thread = fc.nat(1)
const tagged = <const Tag extends string>(tag: Tag) => fc.constant(tag)
const doing: fc.Arbitrary<Doing> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ _tag: fc.constantFrom("Say", "Say", "Pwd", "Write", "Hold", "Steer"), thread })
  },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constantFrom("Stop", "Stop", "Fork"), thread }) },
  { weight: 2, arbitrary: fc.record({ _tag: tagged("Move"), thread, place: fc.nat(2) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      _tag: tagged("Mode"),
      thread,
      mode: fc.constantFrom<RuntimeMode>("approval-required", "full-access")
    })
  }
)

/** One life: what is done in it, and at which arrival at a point it is killed. */
export const life = fc.record({
  steps: fc.array(doing, { minLength: 2, maxLength: 5 }),
  at: fc.integer({ min: 1, max: 140 })
})
