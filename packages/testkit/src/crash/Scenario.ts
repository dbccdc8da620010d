import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import fc from "fast-check"

/** What the model is asked to do, by the first word of the input. */
export const verbs = ["say", "run pwd", "hold", "write", "think", "ask", "fail", "stumble"] as const
export type Verb = (typeof verbs)[number]

/** How a provider misbehaves until it is healed. */
export const faults = [
  "send-lost",
  "send-arrives",
  "send-refused",
  "start-fails",
  "undo-fails",
  "unavailable",
  "inconclusive",
  "wrong-place",
  "wrong-mode",
  "ignores-interrupt"
] as const
export type Fault = (typeof faults)[number]

/** One thing that a user, an operator, the reaper or fate does. `thread` and `place` count round. */
export type Step =
  | { readonly _tag: "Open"; readonly place: number; readonly mode: RuntimeMode }
  | { readonly _tag: "Send"; readonly thread: number; readonly verb: Verb; readonly steer: boolean }
  | { readonly _tag: "Move"; readonly thread: number; readonly place: number }
  | { readonly _tag: "Mode"; readonly thread: number; readonly mode: RuntimeMode }
  | {
      /** `Carry`: out of the server and in again. */
      readonly _tag:
        | "Interrupt"
        | "Withdraw"
        | "Answer"
        | "Stop"
        | "Reset"
        | "Fork"
        | "Remove"
        | "Lose"
        | "HandOver"
        | "Carry"
        | "Copy"
      readonly thread: number
    }
  | { readonly _tag: "Fault"; readonly fault: Fault }
  | { readonly _tag: "Reap" | "Heal" | "KillAgent" | "Pause" }

export interface Scenario {
  /** The next one begins when the fibers have been let on so many times: most overlap. */
  readonly steps: ReadonlyArray<{ readonly step: Step; readonly gap: number }>
  /** At which arrival at a point each life is killed, in turn; the life after the last is not. */
  readonly crashes: ReadonlyArray<number>
  /** How fibers interleave at the points that they reach; 0 is as they come. */
  readonly schedule: number
}

const modes = ["read-only", "approval-required", "auto-accept-edits", "full-access"] as const

const thread = fc.nat(2)
const place = fc.nat(2)
const mode = fc.constantFrom<RuntimeMode>(...modes)
const tagged = <const Tag extends string>(tag: Tag) => fc.constant(tag)

const open = fc.record({ _tag: tagged("Open"), place, mode })
const send = fc.record({
  _tag: tagged("Send"),
  thread,
  verb: fc.constantFrom(...verbs),
  steer: fc.boolean()
})

const any: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: open },
  { weight: 9, arbitrary: send },
  { weight: 2, arbitrary: fc.record({ _tag: tagged("Move"), thread, place }) },
  { weight: 2, arbitrary: fc.record({ _tag: tagged("Mode"), thread, mode }) },
  {
    weight: 8,
    arbitrary: fc.record({
      _tag: fc.constantFrom(
        "Interrupt",
        "Withdraw",
        "Answer",
        "Stop",
        "Reset",
        "Fork",
        "Remove",
        "Lose",
        "HandOver",
        "Carry",
        "Copy"
      ),
      thread
    })
  },
  { weight: 5, arbitrary: fc.record({ _tag: tagged("Fault"), fault: fc.constantFrom(...faults) }) },
  {
    weight: 6,
    arbitrary: fc.record({ _tag: fc.constantFrom("Reap", "Heal", "KillAgent", "Pause", "Pause", "Pause") })
  }
)

const timed = (step: fc.Arbitrary<Step>) => fc.record({ step, gap: fc.oneof(fc.nat(6), fc.nat(60)) })

/** Random lives of a server. fast-check shrinks one that breaks a law to the least that still does. */
export const scenario: fc.Arbitrary<Scenario> = fc.record({
  steps: fc
    .tuple(timed(open), timed(send), fc.array(timed(any), { minLength: 2, maxLength: 18 }))
    .map(([first, second, rest]) => [first, second, ...rest]),
  crashes: fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 3 }),
  schedule: fc.nat(1_000_000)
})

const directed = (crashes: ReadonlyArray<number>, steps: ReadonlyArray<Step>): Scenario => ({
  steps: steps.flatMap((step) => [step, { _tag: "Pause" } as const].map((step) => ({ step, gap: 6 }))),
  crashes,
  schedule: 0
})

const say: Step = { _tag: "Send", thread: 0, verb: "say", steer: false }
const begun: ReadonlyArray<Step> = [{ _tag: "Open", place: 0, mode: "full-access" }, say, say]
const on = (_tag: "Carry" | "Copy" | "HandOver" | "Lose" | "Stop"): Step => ({ _tag, thread: 0 })

/** What carries a conversation over, each step by itself: to be killed at any point of it. */
export const carrying = {
  "a copy, and what is restored from it": (at: ReadonlyArray<number>) =>
    directed(at, [...begun, on("Copy"), say, on("Copy"), on("Stop"), on("Lose"), say]),
  "a restore from a copy that is behind": (at: ReadonlyArray<number>) =>
    directed(at, [...begun, on("Copy"), say, on("Lose"), say]),
  "a handover, and back": (at: ReadonlyArray<number>) =>
    directed(at, [...begun, on("HandOver"), say, on("HandOver"), say]),
  "out of the server and in again": (at: ReadonlyArray<number>) =>
    directed(at, [...begun, on("Copy"), on("Carry"), say, on("Carry"), say])
}

/** The scenario of a seed, always the same. */
export const scenarioOf = (seed: number): Scenario => {
  const [sampled] = fc.sample(scenario, { seed, numRuns: 1 })
  if (sampled === undefined) throw new Error("fast-check sampled nothing")
  return sampled
}
