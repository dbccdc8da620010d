import * as Client from "@rejoin/client/Client"
import type { ChannelConfig, ChannelInfo } from "@rejoin/contracts/Channel"
import { ServerFileJson } from "@rejoin/contracts/ServerFile"
import { Effect, FileSystem, Option, Redacted, Schema } from "effect"
import { adapterOf } from "../ChatChannels.ts"
import type { Finding } from "./Finding.ts"

const decodeServerFile = Schema.decodeUnknownEffect(ServerFileJson)

/** How long a platform may take to say who the bot is. */
const patience = "10 seconds"

const finding = (about: string, message: string, hint: string | undefined): Finding => ({
  check: "channel",
  about,
  severity: "problem",
  message,
  ...(hint !== undefined && { hint })
})

/** What the server that works here says of its channels; none where it does not answer. */
const told = Effect.fnUntraced(function* (home: string) {
  const fs = yield* FileSystem.FileSystem
  const { url } = yield* Effect.flatMap(fs.readFileString(`${home}/server.json`), decodeServerFile)
  const token = (yield* fs.readFileString(`${home}/token`)).trim()
  const client = yield* Client.make({ url, token: Redacted.make(token) })
  return (yield* client.channels.list()).items
})

const ofServer = (channels: ReadonlyArray<ChannelInfo>) =>
  channels.flatMap(({ hint, id, lastError, reason, state }) =>
    state === "down"
      ? [finding(id, reason ?? "It is down.", hint)]
      : lastError === undefined
        ? []
        : [
            {
              ...finding(id, lastError, "It was tried again; this is the last trouble that it had."),
              severity: "warning" as const
            }
          ]
  )

/** Logs in as the server would, and receives nothing: whoever does that now is not disturbed. */
const lookedAt = Effect.fnUntraced(function* (config: ChannelConfig) {
  const failure = yield* Effect.flatMap(adapterOf(config), ({ account }) => account).pipe(
    Effect.timeoutOption(patience),
    Effect.match({
      onFailure: (failure) => failure,
      onSuccess: (answer) => (Option.isNone(answer) ? { message: "The platform did not answer." } : undefined)
    })
  )
  if (failure === undefined) return []
  return [finding(config.id, failure.message, "hint" in failure ? failure.hint : undefined)]
})

/** Whether the chat platforms can be listened to that are configured. `isHeld`: a server works here, which knows. */
export const channels = Effect.fn("channels")(function* (
  home: string,
  configs: ReadonlyArray<ChannelConfig>,
  isHeld: boolean
) {
  if (configs.length === 0) return []
  const known = isHeld ? yield* Effect.option(Effect.timeout(told(home), patience)) : Option.none()
  // What another process runs, the server knows nothing of.
  const others = Option.isSome(known) ? configs.filter(({ run }) => run === "beside") : configs
  const looked = yield* Effect.forEach(others, lookedAt, { concurrency: "unbounded" })
  return [...Option.match(known, { onNone: () => [], onSome: ofServer }), ...looked.flat()]
})
