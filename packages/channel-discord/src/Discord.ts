import type { ChannelAdapter, Outgoing } from "@rejoin/channels/ChannelAdapter"
import { type ChannelFailure, Refused, Unanswered } from "@rejoin/channels/ChannelFailure"
import { commands } from "@rejoin/channels/Command"
import { fetchFile } from "@rejoin/channels/Fetching"
import {
  API,
  type APIMessage,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ButtonStyle,
  ComponentType,
  GatewayDispatchEvents,
  type GatewayDispatchPayload,
  GatewayIntentBits,
  MessageFlags
} from "@discordjs/core"
import { REST } from "@discordjs/rest"
import { WebSocketManager, WebSocketShardEvents } from "@discordjs/ws"
import { Clock, Effect, Queue, Redacted } from "effect"
import { makeCursor } from "./DiscordCursor.ts"
import { failureOf, refusedBy } from "./DiscordFailure.ts"
import { channelOf, editedIn, interactionIn, type Place, saidIn } from "./DiscordParse.ts"

export interface DiscordOptions {
  readonly token: Redacted.Redacted
  /** Where Discord's interface is; by default Discord's own. */
  readonly url?: string | undefined
  /** Channels in which the bot listens before anybody spoke to it there. */
  readonly listed?: ReadonlyArray<string>
}

// https://discord.com/developers/docs/resources/message#create-message, /reference#uploading-files
const limits = { text: 2000, download: 25_000_000, upload: 10_000_000, buttons: 20, label: 80 }

/** A nonce is remembered for a few minutes; behind that the history is looked at. In ms. */
const remembered = 120_000

/** So long it may reconnect by itself before that is told, in ms. */
const patience = 30_000

const page = 100

const intents: GatewayIntentBits =
  GatewayIntentBits.Guilds |
  GatewayIntentBits.GuildMessages |
  GatewayIntentBits.DirectMessages |
  GatewayIntentBits.MessageContent

type Heard =
  | { readonly of: GatewayDispatchPayload }
  | { readonly failed: ChannelFailure }
  | { readonly closed: true }

/** Rows of five. */
const rowsOf = ({ buttons = [] }: Outgoing) =>
  Array.from({ length: Math.ceil(buttons.length / 5) }, (_, row) => ({
    type: ComponentType.ActionRow as const,
    components: buttons.slice(row * 5, row * 5 + 5).map(({ id, label }) => ({
      type: ComponentType.Button as const,
      style: ButtonStyle.Secondary as const,
      custom_id: id,
      label
    }))
  }))

/**
 * Discord, by its gateway. A session that it forgot is begun anew, and nothing of it is told again: what was said meanwhile
 * is read from each channel. A message carries a nonce of ours, so it is sent once, however often.
 */
export const makeDiscord = ({ listed = [], token, url }: DiscordOptions): ChannelAdapter => {
  const rest = new REST({
    ...(url !== undefined && { api: url }),
    // What may be repeated is not for it to know.
    retries: 0,
    rejectOnRateLimit: () => true,
    timeout: 30_000
  }).setToken(Redacted.value(token))
  const api = new API(rest)
  let bot = ""
  const places = new Map<string, Place>()

  const call = <A>(run: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, ChannelFailure> =>
    Effect.tryPromise({ try: run, catch: failureOf })

  /** A call that was too fast, again when it may be. */
  const patiently = <A>(effect: Effect.Effect<A, ChannelFailure>): Effect.Effect<A, ChannelFailure> =>
    Effect.catchTag(effect, "TooFast", ({ retryAfter }) =>
      Effect.andThen(Effect.sleep(retryAfter), patiently(effect))
    )

  /** Where a channel is: it is asked once. */
  const fetchedPlace = Effect.fnUntraced(function* (channel: string) {
    const known = places.get(channel)
    if (known !== undefined) return known
    const place = yield* patiently(call((signal) => api.channels.get(channel, { signal }))).pipe(
      Effect.map((found): Place => {
        if (!("guild_id" in found)) return { groups: [] }
        const parts = [channel, "parent_id" in found ? found.parent_id : undefined, found.guild_id]
        return { groups: parts.filter((id) => typeof id === "string") }
      }),
      // A channel that may not be looked at is a group all the same.
      Effect.catchTag("Refused", () => Effect.succeed<Place>({ groups: [channel] }))
    )
    places.set(channel, place)
    return place
  })
  /**
   * The same by what an event tells: Discord is asked only where it could be for us, so that nobody makes us ask. Without a
   * server it is between two.
   */
  const placeOf = (channel: string, guild: string | undefined, isForUs: boolean) => {
    if (guild === undefined) return Effect.succeed<Place>({ groups: [] })
    const parts = [channel, guild]
    return isForUs && !parts.some((id) => listed.includes(id))
      ? fetchedPlace(channel)
      : Effect.succeed<Place>(places.get(channel) ?? { groups: parts })
  }

  const contentOf = (outgoing: Outgoing) => ({
    content: outgoing.text,
    components: rowsOf(outgoing),
    // Nothing that an agent writes calls anybody.
    allowed_mentions: { parse: [], replied_user: false }
  })
  const answering = (to: string | null) =>
    to === null ? {} : { message_reference: { message_id: to, fail_if_not_exists: false } }

  const messagesAfter = (channel: string, after: string) =>
    patiently(call((signal) => api.channels.getMessages(channel, { after, limit: page }, { signal }))).pipe(
      // Newest first.
      Effect.map((messages) => messages.toReversed())
    )

  return {
    limits,
    beginsEmpty: false,
    pace: () => 1100,
    account: Effect.gen(function* () {
      const me = yield* call((signal) => api.users.getCurrent({ signal }))
      bot = me.id
      const named = commands.map(({ about, name }) => ({
        name,
        description: about,
        type: ApplicationCommandType.ChatInput as const,
        ...(["mode", "use", "file"].includes(name) && {
          options: [
            {
              name: "which",
              description: "Which one",
              type: ApplicationCommandOptionType.String as const,
              required: false
            }
          ]
        })
      }))
      yield* Effect.ignore(
        call((signal) => api.applicationCommands.bulkOverwriteGlobalCommands(me.id, named, { signal }))
      )
      return { prefix: `discord:${me.id}`, name: me.username }
    }),
    receive: ({ cursor: stored, known, take, up }) =>
      Effect.gen(function* () {
        const cursor = makeCursor(stored)
        const heard = yield* Queue.unbounded<Heard>()
        const tell = (one: Heard) => void Queue.offerUnsafe(heard, one)
        const manager = new WebSocketManager({ token: Redacted.value(token), intents, rest })
        manager.on(WebSocketShardEvents.Dispatch, (of) => tell({ of }))
        manager.on(WebSocketShardEvents.Closed, (code) => {
          const failed = refusedBy(code)
          tell(failed === undefined ? { closed: true } : { failed })
        })
        // What they say is told by the close that follows.
        manager.on(WebSocketShardEvents.Error, () => undefined)
        manager.on(WebSocketShardEvents.SocketError, () => undefined)
        yield* Effect.addFinalizer(() => Effect.ignore(call(async () => manager.destroy())))
        yield* Effect.forkScoped(
          Effect.catch(
            call(() => manager.connect()),
            (failed) => Effect.sync(() => tell({ failed }))
          )
        )
        let isUp = false
        const lost = Effect.gen(function* () {
          isUp = false
          yield* Effect.sleep(patience)
          if (!isUp)
            tell({ failed: new Unanswered({ message: "The connection to Discord does not come back." }) })
        })
        yield* Effect.forkScoped(lost)

        const chats = new Set((yield* known).map(channelOf))
        const isWanted = (channel: string) =>
          chats.has(channel) ||
          listed.includes(channel) ||
          (places.get(channel)?.groups ?? []).some((id) => listed.includes(id))
        const keep = Effect.fnUntraced(function* (message: APIMessage, place: Place, isForUs: boolean) {
          const channel = message.channel_id
          cursor.seen(channel, message.id)
          yield* take(saidIn(message, { bot, place }), cursor.text(isWanted))
          // It is a chat of ours from now on, if whoever speaks there is heard.
          if (isForUs && !chats.has(channel)) for (const chat of yield* known) chats.add(channelOf(chat))
        })
        const isNew = Effect.fnUntraced(function* (message: APIMessage, guild: string | undefined) {
          const { author, channel_id, mentions, referenced_message } = message
          if (author.bot === true) return
          const isForUs =
            guild === undefined ||
            mentions.some(({ id }) => id === bot) ||
            referenced_message?.author.id === bot
          yield* keep(message, yield* placeOf(channel_id, guild, isForUs), isForUs)
        })
        /** The channels, and the threads that are open, in which the bot listens without having been spoken to. */
        const listening = Effect.gen(function* () {
          const all = new Set<string>(chats)
          const guilds = new Set<string>()
          for (const id of listed) {
            const channels = yield* patiently(call((signal) => api.guilds.getChannels(id, { signal }))).pipe(
              // It is a channel, and no server.
              Effect.catchTag("Refused", () => Effect.succeed(undefined))
            )
            if (channels === undefined) {
              all.add(id)
              const { groups } = yield* fetchedPlace(id)
              guilds.add(groups.at(-1) ?? "")
            } else {
              guilds.add(id)
              for (const channel of channels) all.add(channel.id)
            }
          }
          for (const guild of guilds) {
            const { threads } = yield* patiently(
              call((signal) => api.guilds.getActiveThreads(guild, { signal }))
            ).pipe(Effect.catchTag("Refused", () => Effect.succeed({ threads: [] })))
            for (const { id, parent_id } of threads as ReadonlyArray<{
              id: string
              parent_id?: string | null
            }>)
              if (listed.includes(guild) || listed.includes(parent_id ?? "")) all.add(id)
          }
          return all
        })
        /** What was said while nobody listened. */
        const catchUp = Effect.gen(function* () {
          for (const channel of yield* listening) {
            for (;;) {
              const after = cursor.after(channel)
              if (after === undefined) break
              const missed = yield* messagesAfter(channel, after).pipe(
                // It is gone, holds no messages, or the bot has left it.
                Effect.catchTag("Refused", () => Effect.succeed([]))
              )
              // A message that was read from the history names no server.
              for (const message of missed) yield* keep(message, yield* fetchedPlace(channel), true)
              if (missed.length < page) break
            }
          }
          cursor.listening(yield* Clock.currentTimeMillis)
          yield* take([], cursor.text(isWanted))
        })

        const hear = Effect.fnUntraced(function* (payload: GatewayDispatchPayload) {
          switch (payload.t) {
            case GatewayDispatchEvents.Ready:
            case GatewayDispatchEvents.Resumed:
              isUp = true
              if (payload.t === GatewayDispatchEvents.Ready) yield* catchUp
              return yield* up
            case GatewayDispatchEvents.MessageCreate:
              return yield* isNew(payload.d, payload.d.guild_id)
            case GatewayDispatchEvents.MessageUpdate: {
              const { channel_id, guild_id } = payload.d
              if (!chats.has(channel_id)) return
              return yield* take(
                editedIn(payload.d, { bot, place: yield* placeOf(channel_id, guild_id, true) }),
                null
              )
            }
            case GatewayDispatchEvents.InteractionCreate: {
              const { channel, guild_id, id, token } = payload.d
              if (channel === undefined) return
              const inbound = interactionIn(payload.d, {
                bot,
                place: yield* placeOf(channel.id, guild_id, true)
              })
              if (inbound.length === 0) return
              yield* take(inbound, null)
              // Within three seconds, or the user is told that it failed.
              const said = inbound[0]?._tag === "Said" ? inbound[0].text : undefined
              return yield* Effect.ignore(
                call(() =>
                  said === undefined
                    ? api.interactions.deferMessageUpdate(id, token)
                    : api.interactions.reply(id, token, { content: said, flags: MessageFlags.Ephemeral })
                )
              )
            }
            default:
              return
          }
        })
        for (;;) {
          const next = yield* Queue.take(heard)
          if ("failed" in next) return yield* next.failed
          if ("closed" in next) yield* Effect.forkScoped(lost)
          else yield* hear(next.of)
        }
      }).pipe(Effect.scoped),
    send: (chat, to, outgoing, { token: nonce }) =>
      call((signal) =>
        api.channels.createMessage(
          channelOf(chat),
          {
            ...contentOf(outgoing),
            ...answering(to),
            nonce,
            enforce_nonce: true,
            ...(outgoing.silent === true && { flags: MessageFlags.SuppressNotifications })
          },
          { signal }
        )
      ).pipe(Effect.map(({ id }) => id)),
    edit: (chat, message, outgoing) =>
      Effect.asVoid(
        call((signal) => api.channels.editMessage(channelOf(chat), message, contentOf(outgoing), { signal }))
      ),
    doubt: Effect.fnUntraced(function* (chat, to, { text }, { since }) {
      if ((yield* Clock.currentTimeMillis) - since < remembered || to === null) return { sent: null }
      const after = yield* messagesAfter(channelOf(chat), to)
      const ours = after.find(
        ({ author, content, message_reference }) =>
          author.id === bot && message_reference?.message_id === to && content === text
      )
      return { sent: ours?.id ?? null }
    }),
    pressed: (receipt, text) =>
      Effect.asVoid(
        call((signal) =>
          api.interactions.followUp(
            bot,
            receipt,
            { content: text, flags: MessageFlags.Ephemeral },
            { signal }
          )
        )
      ),
    typing: (chat) => Effect.asVoid(call((signal) => api.channels.showTyping(channelOf(chat), { signal }))),
    download: ({ id }) => {
      // Whoever writes a message does not choose where we go.
      const isDiscords = /^https:\/\/(?:cdn|media)\.discordapp\.(?:com|net)\//.test(id)
      return isDiscords || url !== undefined
        ? fetchFile(id, limits.download)
        : Effect.fail(new Refused({ code: "address", message: "The file does not lie with Discord." }))
    },
    upload: (chat, to, { bytes, name }, { token: nonce }) =>
      call((signal) =>
        api.channels.createMessage(
          channelOf(chat),
          {
            ...answering(to),
            nonce,
            enforce_nonce: true,
            files: [{ name, data: Buffer.from(bytes) }],
            allowed_mentions: { parse: [] }
          },
          { signal }
        )
      ).pipe(Effect.map(({ id }) => id))
  }
}
