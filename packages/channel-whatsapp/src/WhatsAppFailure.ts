import { type ChannelFailure, NotLetIn, Refused, TooFast, Unanswered } from "@rejoin/channels/ChannelFailure"
import { Option, Schema } from "effect"

const Problem = Schema.Struct({
  error: Schema.Struct({ code: Schema.Finite, message: Schema.String })
})
const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Problem))

/** More than 24 hours since its person wrote: https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes */
export const outsideWindow = "131047"

const notLetIn = new Set([0, 3, 10, 190])
const tooFast = new Set([4, 80_007, 130_429, 131_048, 131_056])

/** What an answer that is none of success says. Numbers of people are in no message of ours. */
export const failureOf = (status: number, body: string): ChannelFailure => {
  const problem = Option.getOrUndefined(decode(body))?.error
  if (status === 401 || (problem !== undefined && notLetIn.has(problem.code)))
    return new NotLetIn({
      message: "WhatsApp does not take the token.",
      hint: "It has expired or was revoked: make a permanent one for a system user at business.facebook.com."
    })
  if (status === 429 || (problem !== undefined && tooFast.has(problem.code)))
    return new TooFast({ message: "WhatsApp: too many messages.", retryAfter: 5000 })
  if (status >= 500 || problem === undefined)
    return new Unanswered({ message: `WhatsApp answered ${status}.` })
  return new Refused({
    code: String(problem.code),
    message: `WhatsApp: ${problem.message.replaceAll(/\d{6,}/g, "…")}`
  })
}
