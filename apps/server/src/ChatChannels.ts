import * as Client from "@rejoin/client/Client"
import type { ChannelAdapter } from "@rejoin/channels/ChannelAdapter"
import { type ChannelFailure, NotLetIn } from "@rejoin/channels/ChannelFailure"
import { type Channels, noChannels, runChannels } from "@rejoin/channels/Channels"
import { makeSqlChannelStore } from "@rejoin/channels/SqlChannelStore"
import type { ChannelConfig, SecretSource } from "@rejoin/contracts/Channel"
import { DatabaseFile } from "@rejoin/persistence/DatabaseFile"
import { Singleton } from "@rejoin/persistence/Singleton"
import { storeFailed } from "@rejoin/persistence/StoreFailure"
import { ByteSize, Config, Context, Effect, FileSystem, Layer, Option, Redacted, Ref } from "effect"
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

/** https://developers.facebook.com/docs/graph-api/webhooks/getting-started: 3 MB at most. */
const hookAtMost = 3 * 1024 * 1024

/** Read anew each time: one that was revoked is replaced without a restart. */
const secretOf = Effect.fnUntraced(function* (source: SecretSource) {
  const fs = yield* FileSystem.FileSystem
  if ("env" in source) {
    const text = (yield* Effect.orElseSucceed(Config.String(source.env), () => "")).trim()
    if (text !== "") return Redacted.make(text)
    return yield* new NotLetIn({
      message: `There is no token in $${source.env}.`,
      hint: "The server's own environment has to have it, not only that of your terminal."
    })
  }
  const { file } = source
  const text = yield* Effect.mapError(
    fs.readFileString(file),
    () =>
      new NotLetIn({
        message: `${file} cannot be read: a token should stand in it.`,
        hint: file.startsWith("~")
          ? "Write the whole path: ~ stands for nothing here."
          : "Make it, for yourself alone (mode 600)."
      })
  )
  const stat = yield* Effect.option(fs.stat(file))
  if (Option.isSome(stat) && (stat.value.mode & 0o077) !== 0)
    yield* Effect.logWarning(
      `${file} holds a token, and others on this machine can read it: chmod 600 ${file}`
    )
  if (text.trim() === "") return yield* new NotLetIn({ message: `There is no token in ${file}.` })
  return Redacted.make(text.trim())
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

/** As a client of this server's own interface: what a chat may do, any client may. */
const run = Effect.gen(function* () {
  const { file, host } = yield* Configuration
  const configs = (file.channels ?? []).filter(({ run }) => run !== "beside")
  if (configs.length === 0) return
  const fs = yield* FileSystem.FileSystem
  const { address } = yield* HttpServer.HttpServer
  const { value: token } = yield* Token
  const sql = yield* SqlClient.SqlClient
  const { check, durable } = yield* DatabaseFile
  const port = "port" in address ? address.port : 0
  const rejoin = yield* Client.make({ url: `http://${host}:${port}`, token })
  const channels = yield* runChannels(
    configs,
    (config) => Effect.provideService(adapterOf(config), FileSystem.FileSystem, fs),
    makeSqlChannelStore({ sql, durable, check, failed: storeFailed }),
    rejoin
  )
  const current = yield* ChatChannels
  yield* Ref.set(current, channels)
  yield* Effect.addFinalizer(() => Ref.set(current, noChannels))
})

/** Of several servers one runs them: a platform has one listener for each bot. */
export const running = Layer.effectDiscard(
  Effect.gen(function* () {
    const once = yield* Singleton
    if (once === undefined) return yield* run
    const term = Effect.scoped(Effect.andThen(run, Effect.never))
    yield* once("the channels", term).pipe(
      Effect.catch((error) => Effect.logError("The channels have ended.", error)),
      Effect.forkScoped
    )
  })
)

/** Where a platform sends what it has to say: the one door without our token. What comes is believed if it is signed. */
export const hooks = HttpRouter.add(
  "*",
  "/hooks/:channel",
  Effect.gen(function* () {
    const current = yield* Ref.get(yield* ChatChannels)
    const { channel = "" } = yield* HttpRouter.params
    // Nothing is read for one that takes nothing.
    if (!current.takesHooks(channel)) return HttpServerResponse.empty({ status: 404 })
    const request = yield* HttpServerRequest.HttpServerRequest
    const body = new Uint8Array(
      yield* request.arrayBuffer.pipe(
        Effect.provideService(HttpServerRequest.MaxBodySize, ByteSize.fromInputUnsafe(hookAtMost))
      )
    )
    const query = new URL(request.url, "http://hook").searchParams
    const { headers, method } = request
    const { status, text } = yield* current.webhook(channel, { method, headers, query, body })
    if (status === 401 || status === 403)
      yield* Effect.logWarning(
        `What came to /hooks/${channel} was refused: its signature or its word is another one.`
      )
    return HttpServerResponse.text(text, { status })
  }).pipe(Effect.orElseSucceed(() => HttpServerResponse.empty({ status: 400 })))
)
