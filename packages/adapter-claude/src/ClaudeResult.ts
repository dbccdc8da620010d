import { Predicate } from "effect"
import type { Result as Frame } from "./ClaudeSchema.ts"

/** The end of a turn, as far as it can be read. */
export interface ClaudeResult {
  readonly subtype: string
  readonly isError: boolean
  /** Why it ended; null for what no model was asked for. */
  readonly reason: string | null
  readonly text: string
  readonly errors: string
  readonly status: number | null
  /** What it calls the error itself: `usage_limit_reached`. */
  readonly apiError: string | undefined
  readonly startupFailure: string | undefined
  /** The messages of ours that it answers. */
  readonly answered: ReadonlyArray<string>
  readonly usage: {
    readonly inputTokens: number
    readonly outputTokens: number
    readonly costUsd: number
  } | null
}

const text = (value: unknown): string | undefined => (Predicate.isString(value) ? value : undefined)
const number = (value: unknown): number => (Predicate.isNumber(value) && Number.isFinite(value) ? value : 0)
const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** Of this result alone, its sub-agents included; the other figures that Claude tells grow over a session's life. */
const usageOf = (models: unknown): ClaudeResult["usage"] => {
  if (!Predicate.isObject(models)) return null
  const sum = { inputTokens: 0, outputTokens: 0, costUsd: 0 }
  for (const model of Object.values(models).filter(Predicate.isObject)) {
    const of = model as Readonly<Record<string, unknown>>
    sum.inputTokens +=
      number(of["inputTokens"]) + number(of["cacheReadInputTokens"]) + number(of["cacheCreationInputTokens"])
    sum.outputTokens += number(of["outputTokens"])
    sum.costUsd += number(of["costUSD"])
  }
  return sum
}

export const resultOf = (frame: Frame): ClaudeResult => ({
  subtype: text(frame["subtype"]) ?? "",
  // What does not say that it went well did not.
  isError: frame["is_error"] !== false,
  reason: text(frame["terminal_reason"]) ?? null,
  text: text(frame["result"]) ?? "",
  errors: list(frame["errors"])
    .map((error) => text(error) ?? JSON.stringify(error))
    .join(" "),
  status: Predicate.isNumber(frame["api_error_status"]) ? frame["api_error_status"] : null,
  apiError: text(frame["api_error"]),
  startupFailure: text(frame["startup_failure_reason"]),
  answered: list(frame["user_message_uuids"]).filter(Predicate.isString),
  usage: usageOf(frame["model_usage_since_last_result"])
})
