import { Schema } from "effect"

/** What becomes of a turn that its account's usage limit ended. */
export const OnLimit = Schema.Literals(["fail", "wait"])
export type OnLimit = typeof OnLimit.Type

/** What becomes of a turn that nobody ended: the server or the agent stopped under it. */
export const OnInterrupted = Schema.Literals(["tell", "continue"])
export type OnInterrupted = typeof OnInterrupted.Type
