import { type ChannelFailure, NotLetIn, Refused, TooFast, Unanswered } from "@rejoin/channels/ChannelFailure"
import { SlackError, WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError } from "@slack/web-api"

/** https://docs.slack.dev/reference/methods/auth.test */
const notLetIn = new Set([
  "account_inactive",
  "invalid_auth",
  "missing_scope",
  "no_permission",
  "not_allowed_token_type",
  "not_authed",
  "token_expired",
  "token_revoked"
])

/** Slack itself has failed, and says nothing of what was done. */
const unknown = new Set(["fatal_error", "internal_error", "request_timeout", "service_unavailable"])

export const failureOf = (cause: unknown): ChannelFailure => {
  if (cause instanceof WebAPIRateLimitedError)
    return new TooFast({ message: "Slack: too many messages.", retryAfter: cause.retryAfter * 1000 })
  if (cause instanceof WebAPIPlatformError) {
    const { error } = cause.data
    const message = `Slack: ${error}`
    if (notLetIn.has(error))
      return new NotLetIn({
        message,
        hint: "The bot's token is wrong, was revoked, or lacks a scope: the app's page at api.slack.com has all three."
      })
    if (unknown.has(error)) return new Unanswered({ message })
    if (error === "ratelimited") return new TooFast({ message, retryAfter: 1000 })
    return new Refused({ code: error, message, ...(error === "message_not_found" && { gone: true }) })
  }
  if (cause instanceof WebAPIHTTPError && cause.statusCode < 500)
    return new Refused({ code: String(cause.statusCode), message: `Slack answered ${cause.statusCode}.` })
  return new Unanswered({
    message: cause instanceof SlackError ? "Slack did not answer." : "Slack cannot be reached."
  })
}
