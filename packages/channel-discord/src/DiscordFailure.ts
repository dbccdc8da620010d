import { type ChannelFailure, NotLetIn, Refused, TooFast, Unanswered } from "@rejoin/channels/ChannelFailure"
import { DiscordAPIError, HTTPError, RateLimitError } from "@discordjs/rest"

/** https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes */
const closed: Readonly<Record<number, NotLetIn>> = {
  4004: new NotLetIn({
    message: "Discord does not take the bot's token.",
    hint: "It is wrong or was reset: the developer portal gives another one, under Bot."
  }),
  4013: new NotLetIn({ message: "Discord does not know what the bot wants to hear." }),
  4014: new NotLetIn({
    message: "Discord does not let the bot read messages.",
    hint: "Switch on the Message Content Intent in the developer portal, under Bot."
  })
}

/** Why the connection is refused for good, by the code with which it was closed. */
export const refusedBy = (code: number): NotLetIn | undefined => closed[code]

export const failureOf = (cause: unknown): ChannelFailure => {
  if (cause instanceof RateLimitError)
    return new TooFast({
      message: "Discord: too many messages.",
      retryAfter: Math.max(cause.retryAfter, 100)
    })
  if (cause instanceof DiscordAPIError) {
    const message = `Discord: ${cause.message}`
    if (cause.status === 401) return refusedBy(4004) ?? new NotLetIn({ message })
    // Unknown Message, Unknown Channel.
    const gone = cause.code === 10_008
    return new Refused({ code: String(cause.code), message, ...(gone && { gone }) })
  }
  if (cause instanceof HTTPError && cause.status < 500)
    return new Refused({ code: String(cause.status), message: `Discord answered ${cause.status}.` })
  return new Unanswered({ message: "Discord cannot be reached." })
}
