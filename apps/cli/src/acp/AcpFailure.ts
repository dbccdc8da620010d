import { RequestError } from "@agentclientprotocol/sdk"
import type { Failure } from "@rejoin/contracts/Failure"
import { Cause, Predicate } from "effect"

/**
 * What a client is told of a failure. Always this code: at `-32002` and `-32602` a client may take the session for gone
 * and begin a new one without a word (acpx 0.19.1 does: e2e/src/Acpx.long.test.ts), and at `-32000` it asks for a login.
 * Clients show the message or `data.details`: both are our sentence.
 */
export const internal = (sentence: string): RequestError =>
  new RequestError(-32603, sentence, { details: sentence })

export const failureText = ({ hint, message }: Pick<Failure, "hint" | "message">): string =>
  hint === undefined ? message : `${message} ${hint}`

export const requestError = (cause: Cause.Cause<unknown>): RequestError => {
  const error = Cause.squash(cause)
  if (error instanceof RequestError) return error
  if (!Predicate.isError(error)) return internal(Cause.pretty(cause))
  const hint = Predicate.hasProperty(error, "hint") && Predicate.isString(error.hint) ? error.hint : undefined
  return internal(failureText({ message: error.message, ...(hint !== undefined && { hint }) }))
}
