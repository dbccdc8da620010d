import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import fc from "fast-check"

/** Where a thread may be moved to, by the names of the ground. */
export const places = ["repo", "tree", "other"] as const

export type Doing =
  | {
      /** `Lose`: fate deletes its session; `Carry`: out of the server and in again; `HandOver`: to the other agent. */
      readonly _tag:
        | "Say"
        | "Pwd"
        | "Write"
        | "Hold"
        | "Steer"
        | "Stop"
        | "Fork"
        | "Lose"
        | "Carry"
        | "HandOver"
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
export interface Life {
  readonly steps: ReadonlyArray<Doing>
  readonly at: number
}

const life: fc.Arbitrary<Life> = fc.record({
  steps: fc.array(doing, { minLength: 2, maxLength: 5 }),
  at: fc.integer({ min: 1, max: 140 })
})

/** The lives of these seeds, always the same. */
export const livesOf = (seeds: ReadonlyArray<number>): ReadonlyArray<Life> =>
  seeds.flatMap((seed) => fc.sample(life, { seed, numRuns: 1 }))

const on = (...tags: ReadonlyArray<"Say" | "Stop" | "Lose" | "Carry" | "HandOver">): ReadonlyArray<Doing> =>
  tags.map((_tag) => ({ _tag, thread: 0 }))

/** What carries a conversation over: each turn before it, its copy, the act itself and the turn after it. */
const carrying = [
  on("Say", "Stop", "Lose", "Say"),
  on("Say", "HandOver", "Say", "HandOver"),
  on("Say", "Carry", "Say", "Carry")
]

/** So many lives of each of these ways, each killed a little later than the one before. */
export const carryingLives = (times: number): ReadonlyArray<Life> => [
  { steps: on("Say", "Say"), at: 0 },
  ...Array.from({ length: times }, (_, i) => 4 + Math.floor((i * 60) / times)).flatMap((at) =>
    carrying.map((steps) => ({ steps, at }))
  )
]
