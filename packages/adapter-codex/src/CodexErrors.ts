import { type Refusal, refusalOf } from "@rejoin/agent-kit/ModelFailure"
import { Option, Schema } from "effect"
import type { TurnError } from "./CodexSchema.ts"

const Http = Schema.Record(Schema.String, Schema.Struct({ httpStatusCode: Schema.NullOr(Schema.Finite) }))
const Refused = Schema.fromJsonString(
  Schema.Struct({ error: Schema.Struct({ type: Schema.Literal("invalid_request_error") }) })
)
const decodeHttp = Schema.decodeUnknownOption(Http)
const decodeRefused = Schema.decodeUnknownOption(Refused)

/**
 * What the API refused. Codex has names for some, a status for others; a request that cannot be taken is `other`, with
 * the API's own answer as its message (docs/providers/codex.md: Errors).
 */
export const refusalIn = ({ codexErrorInfo: info, message }: TurnError): Refusal => {
  if (info === "unauthorized") return "account"
  if (info === "badRequest") return "request"
  if (info === "usageLimitExceeded" || info === "rateLimitExceeded") return "limit"
  const http = Option.getOrUndefined(decodeHttp(info))
  for (const { httpStatusCode } of Object.values(http ?? {})) {
    const refusal = refusalOf(httpStatusCode)
    if (refusal !== undefined) return refusal
  }
  return Option.isSome(decodeRefused(message)) ? "request" : undefined
}
