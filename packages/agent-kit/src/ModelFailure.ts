import type { Failure } from "@rejoin/contracts/Failure"
import type { Timestamp } from "@rejoin/contracts/Time"

/** What a model's API says no to: whoever asks, what it is asked, or how often. Undefined for what can pass. */
export type Refusal = "account" | "request" | "limit" | undefined

/** The refusal that a status of HTTP tells. */
export const refusalOf = (status: number | null | undefined): Refusal => {
  if (status === 401 || status === 403) return "account"
  // Its agent has tried again by then, and given up.
  if (status === 429) return "limit"
  return status === 400 || status === 413 || status === 422 ? "request" : undefined
}

const hintOf = (agent: string, refusal: Refusal): string | undefined => {
  switch (refusal) {
    case "account":
      return `Log in with ${agent} itself, or give its instance another key; what was said here stays.`
    // It is in every later request too.
    case "request":
      return "If it is refused again, something that was said or attached cannot be taken: fork the thread from the turn before it, and go on there."
    case "limit":
      return "Send it again when the limit is over; `onLimit` in the settings lets that be waited for."
    case undefined:
      return undefined
  }
}

/** Why a turn failed, as the model's API or the agent said it, with what its user can do. */
export const modelFailure = (failed: {
  readonly provider: string
  /** As its user calls it. */
  readonly agent: string
  readonly message: string
  readonly refusal: Refusal
  /** What is known of a limit: what it is called, and when it is over. */
  readonly limit?:
    | { readonly scope?: string | undefined; readonly resetsAt?: Timestamp | undefined }
    | undefined
  readonly detail: Readonly<Record<string, unknown>>
}): Failure => {
  const { agent, detail, limit, message, provider, refusal } = failed
  const hint = hintOf(agent, refusal)
  if (refusal === "limit") {
    const { resetsAt = null, scope = "requests" } = limit ?? {}
    return { _tag: "UsageLimited", provider, scope, resetsAt, message, ...(hint && { hint }), detail }
  }
  return { _tag: "ProviderFailed", provider, message, ...(hint !== undefined && { hint }), detail }
}
