import type { Failure } from "@rejoin/contracts/Failure"

/** What a model's API says no to: whoever asks, or what it is asked. Undefined for what can pass. */
export type Refusal = "account" | "request" | undefined

/** The refusal that a status of HTTP tells. */
export const refusalOf = (status: number | null | undefined): Refusal => {
  if (status === 401 || status === 403) return "account"
  return status === 400 || status === 413 || status === 422 ? "request" : undefined
}

const hintOf = (agent: string, refusal: Refusal): string | undefined => {
  switch (refusal) {
    case "account":
      return `Log in with ${agent} itself, or give its instance another key; what was said here stays.`
    // It is in every later request too.
    case "request":
      return "If it is refused again, something that was said or attached cannot be taken: fork the thread from the turn before it, and go on there."
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
  readonly detail: Readonly<Record<string, unknown>>
}): Failure => {
  const { agent, detail, message, provider, refusal } = failed
  const hint = hintOf(agent, refusal)
  return { _tag: "ProviderFailed", provider, message, ...(hint !== undefined && { hint }), detail }
}
