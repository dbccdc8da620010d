import {
  type ChannelFailure,
  NotLetIn,
  Refused,
  TakenElsewhere,
  TooFast,
  Unanswered
} from "@rejoin/channels/ChannelFailure"
import type { ChatKey } from "@rejoin/channels/Inbound"
import { GrammyError } from "grammy/web"

/**
 * What a call ended with. The library's errors carry the address that was called, and in that the token: nothing of them
 * but the platform's own words is kept (T15).
 */
export const failureOf = (cause: unknown, keyOf: (chat: number) => ChatKey): ChannelFailure => {
  if (!(cause instanceof GrammyError)) return new Unanswered({ message: "Telegram cannot be reached." })
  const { description, error_code: code, parameters } = cause
  const message = `Telegram: ${description}`
  const { migrate_to_chat_id: movedTo, retry_after: seconds } = parameters
  if (movedTo !== undefined) return new Refused({ code: String(code), message, movedTo: keyOf(movedTo) })
  if (code === 401)
    return new NotLetIn({
      message,
      hint: "The bot's token is wrong or was revoked: @BotFather gives another one."
    })
  if (code === 409)
    return description.includes("webhook")
      ? new NotLetIn({
          message,
          hint: "The bot has a webhook, so another program receives for it: take that away."
        })
      : new TakenElsewhere({ message: "Another program receives for this bot." })
  if (code === 429) return new TooFast({ message, retryAfter: (seconds ?? 1) * 1000 })
  if (code >= 500) return new Unanswered({ message })
  return new Refused({
    code: String(code),
    message,
    ...(description.includes("not found") && { gone: true })
  })
}

/** The message says already what it was to say. */
export const saysSo = (cause: unknown): boolean =>
  cause instanceof GrammyError && cause.description.includes("message is not modified")
