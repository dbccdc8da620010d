import * as Client from "@rejoin/client/Client"
import type { ChannelAdapter } from "@rejoin/channels/ChannelAdapter"
import { type ChannelFailure, NotLetIn } from "@rejoin/channels/ChannelFailure"
import { type Channels, noChannels, runChannels } from "@rejoin/channels/Channels"
import { makeSqlChannelStore } from "@rejoin/channels/SqlChannelStore"
import type { ChannelConfig, SecretSource } from "@rejoin/contracts/Channel"
import { DatabaseFile } from "@rejoin/persistence/DatabaseFile"
import { Config, Context, Effect, FileSystem, Layer, Redacted, Ref } from "effect"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { SqlClient } from "effect/sql"
import { Configuration } from "./Configuration.ts"
import { Token } from "./Token.ts"

/** The chat platforms that this server listens to; none before it listens itself. */
export class ChatChannels extends Context.Service<ChatChannels, Ref.Ref<Channels>>()(
  "@rejoin/server/ChatChannels"
) {
  static readonly layer = Layer.effect(ChatChannels, Ref.make(noChannels))
}

/** Read anew each time: one that was revoked is replaced without a restart. */
const secretOf = Effect.fnUntraced(function* (source: SecretSource) {
  const fs = yield* FileSystem.FileSystem
  const text =
    "env" in source
      ? yield* Effect.orElseSucceed(Config.String(source.env), () => "")
      : yield* Effect.mapError(
          fs.readFileString(source.file),
          () => new NotLetIn({ message: `${source.file} cannot be read: a token should stand in it.` })
        )
  const token = text.trim()
  if (token === "")
    return yield* new NotLetIn({
      message: `There is no token in ${"env" in source ? `$${source.env}` : source.file}.`
    })
  return Redacted.make(token)
})

/** A platform's library is loaded only where there is a channel of its kind. */
export const adapterOf = Effect.fnUntraced(function* (
  config: ChannelConfig
): Effect.fn.Return<ChannelAdapter, ChannelFailure, FileSystem.FileSystem> {
  const token = yield* secretOf(config.token)
  const { url } = config
  switch (config.kind) {
    case "telegram": {
      const { makeTelegram } = yield* Effect.promise(() => import("@rejoin/channel-telegram/Telegram"))
      return makeTelegram({ token, url })
    }
    case "discord": {
      const { makeDiscord } = yield* Effect.promise(() => import("@rejoin/channel-discord/Discord"))
      const { groups = [], openGroups = [] } = config.allow ?? {}
      return makeDiscord({ token, url, listed: [...groups, ...openGroups] })
    }
    case "slack": {
      const { makeSlack } = yield* Effect.promise(() => import("@rejoin/channel-slack/Slack"))
      return makeSlack({ token, appToken: yield* secretOf(config.appToken), url })
    }
    case "whatsapp": {
      const { makeWhatsApp } = yield* Effect.promise(() => import("@rejoin/channel-whatsapp/WhatsApp"))
      const { phoneNumberId } = config
      const appSecret = yield* secretOf(config.appSecret)
      const verifyToken = yield* secretOf(config.verifyToken)
      return makeWhatsApp({ token, appSecret, verifyToken, phoneNumberId, url })
    }
  }
})

/** Runs them as a client of this server's own interface: what a chat may do, any client may. */
export const running = Layer.effectDiscard(
  Effect.gen(function* () {
    const { file, host } = yield* Configuration
    const configs = file.channels ?? []
    if (configs.length === 0) return
    const fs = yield* FileSystem.FileSystem
    const { address } = yield* HttpServer.HttpServer
    const { value: token } = yield* Token
    const sql = yield* SqlClient.SqlClient
    const { durable } = yield* DatabaseFile
    const port = "port" in address ? address.port : 0
    const rejoin = yield* Client.make({ url: `http://${host}:${port}`, token })
    const channels = yield* runChannels(
      configs,
      (config) => Effect.provideService(adapterOf(config), FileSystem.FileSystem, fs),
      makeSqlChannelStore({ sql, durable }),
      rejoin
    )
    const current = yield* ChatChannels
    yield* Ref.set(current, channels)
    yield* Effect.addFinalizer(() => Ref.set(current, noChannels))
  })
)

/** Where a platform sends what it has to say: the one door without our token. What comes is believed if it is signed. */
export const hooks = HttpRouter.add(
  "*",
  "/hooks/:channel",
  Effect.gen(function* () {
    const current = yield* Ref.get(yield* ChatChannels)
    const { channel = "" } = yield* HttpRouter.params
    const request = yield* HttpServerRequest.HttpServerRequest
    const body = new Uint8Array(yield* request.arrayBuffer)
    const query = new URL(request.url, "http://hook").searchParams
    const { headers, method } = request
    const { status, text } = yield* current.webhook(channel, { method, headers, query, body })
    return HttpServerResponse.text(text, { status })
  }).pipe(Effect.orElseSucceed(() => HttpServerResponse.empty({ status: 400 })))
)
