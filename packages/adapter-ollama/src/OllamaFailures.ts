import { modelFailure, refusalOf } from "@rejoin/agent-kit/ModelFailure"
import type { Failure } from "@rejoin/contracts/Failure"
import { timeTold } from "@rejoin/contracts/Time"
import type { WireFailure } from "./Wire.ts"

/** What its user can do about a conversation that is longer than the window. */
const hint =
  "Begin anew, hand the conversation over to an agent with a larger window, or give this provider a larger `context` where the model has one."

/** It does not fit, and was not answered as if it were whole. */
export const tooLong = (
  provider: string,
  tokens: number | undefined,
  window: number | undefined
): Failure => ({
  _tag: "ProviderFailed",
  provider,
  message:
    tokens === undefined || window === undefined
      ? "The conversation does not fit into the model's window any more."
      : `The conversation has ${tokens} tokens, and the model's window here has ${window}.`,
  hint,
  detail: { tokens: tokens ?? null, window: window ?? null }
})

/** The model was told less than all of it: its answer is none. */
export const cutHistory = (read: number, expected: number): Failure => ({
  _tag: "HistoryMismatch",
  found: "behind",
  message: `The model read ${read} tokens, and what was said before has ${expected} at least: the server cut the conversation off. It is told nothing of this message from now on.`,
  hint
})

export const failureOf = (
  provider: string,
  model: string,
  { kind, message, promptTokens, retryAfter, status, window }: WireFailure,
  at: number
): Failure => {
  switch (kind) {
    case "too-long":
      return tooLong(provider, promptTokens, window)
    case "no-model":
      if (model === "") {
        return {
          _tag: "ProviderUnavailable",
          provider,
          message: `There is no such API at this address: ${message}`,
          hint: "With the wire `openai` the url ends with /v1, and with `ollama` it has no path."
        }
      }
      return {
        _tag: "ProviderFailed",
        provider,
        message: `The model ${model} is not there: ${message}`,
        hint: `Get it (\`ollama pull ${model}\`), or choose another one; what was said here stays.`
      }
    case "away":
      return { _tag: "ProviderUnavailable", provider, message, hint: "Start it, then send again." }
    default:
      return modelFailure({
        provider,
        agent: "the server",
        message,
        refusal: refusalOf(status),
        limit: { resetsAt: retryAfter === undefined ? undefined : timeTold(at + retryAfter * 1000) },
        detail: { status: status ?? null }
      })
  }
}
