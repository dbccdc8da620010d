import type { RuntimeEvent, RuntimeEventType } from "@rejoin/contracts/RuntimeEvent"
import { Option, Schema } from "effect"

/** What is told of to who is not looking, and in which words. What was said is not: it goes to somebody else's machine. */
const words: Partial<Record<RuntimeEventType, string>> = {
  "request.opened": "The agent needs your approval.",
  "user-input.opened": "The agent asks you something.",
  "turn.completed": "The turn has ended.",
  "turn.failed": "The turn failed.",
  "turn.interrupted": "The turn was interrupted.",
  "session.refused": "The conversation did not go on.",
  "session.stalled": "The agent is silent."
}

export const occasions = Object.keys(words) as ReadonlyArray<RuntimeEventType>

const End = Schema.Struct({
  error: Schema.optionalKey(
    Schema.Struct({ _tag: Schema.String, resetsAt: Schema.optionalKey(Schema.Unknown) })
  ),
  continuedBy: Schema.optionalKey(Schema.String),
  withdrawn: Schema.optionalKey(Schema.Boolean)
})
type End = typeof End.Type
const decodeEnd = Schema.decodeUnknownOption(End)

type Told = Pick<RuntimeEvent, "data" | "type">

/** How a turn has ended; nothing of what is no such event. */
export const endOf = ({ data, type }: Told): End =>
  type === "turn.failed" || type === "turn.interrupted" ? Option.getOrElse(decodeEnd(data), () => ({})) : {}

/** The event in words; undefined where it is none to be told of. */
export const saidOf = (event: Told): string | undefined => {
  const { continuedBy, error, withdrawn } = endOf(event)
  // Whoever takes back what waits knows of it.
  if (withdrawn === true) return undefined
  const goesOn = continuedBy !== undefined
  if (error?._tag === "UsageLimited")
    return goesOn
      ? "The usage limit is reached. It goes on by itself when that is over."
      : "The usage limit is reached."
  return goesOn ? "The turn was interrupted. It goes on by itself." : words[event.type]
}
