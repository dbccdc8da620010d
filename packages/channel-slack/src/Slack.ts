import type { ChannelAdapter, Outgoing } from "@rejoin/channels/ChannelAdapter"
import { type ChannelFailure, Refused, Unanswered } from "@rejoin/channels/ChannelFailure"
import { fetchFile } from "@rejoin/channels/Fetching"
import type { ChatKey } from "@rejoin/channels/Inbound"
import { LogLevel, SocketModeClient } from "@slack/socket-mode"
import { WebClient } from "@slack/web-api"
import { Clock, Effect, Option, Queue, Redacted, Schema } from "effect"
import { failureOf } from "./SlackFailure.ts"
import {
  decodeMessage,
  type From,
  inboundOf,
  keyOf,
  placeOf,
  saidIn,
  type SlackMessage
} from "./SlackParse.ts"

export interface SlackOptions {
  /** The bot's, `xoxb-…`. */
  readonly token: Redacted.Redacted
  /** The app's, for the connection, `xapp-…`. */
  readonly appToken: Redacted.Redacted
  /** Where Slack's methods are; by default Slack's own. */
  readonly url?: string | undefined
}

// https://docs.slack.dev/reference/block-kit/blocks/markdown-block, /actions-block, /button-element
const limits = { text: 11_000, download: 100_000_000, upload: 100_000_000, buttons: 25, label: 75 }

const page = 200

/** So long a message may take to arrive, in ms: our own calls end by then. */
const onItsWay = 30_000

/** So many of the newest threads are looked at for what was missed. */
const threadsAtMost = 200

/** What the library logs is addresses, and what was said. */
const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  setLevel: () => undefined,
  getLevel: () => LogLevel.ERROR,
  setName: () => undefined
}

interface Envelope {
  readonly ack: () => Promise<void>
  readonly type: string
  readonly body: unknown
}

const decodeTs = Schema.decodeUnknownOption(Schema.Struct({ event: Schema.Struct({ ts: Schema.String }) }))

/** When it was said; what is no message keeps its place behind. */
const saidAt = ({ body }: Envelope): number =>
  Option.match(decodeTs(body), {
    onNone: () => Infinity,
    onSome: ({ event: { ts } }) => Number(ts) || Infinity
  })

/** How far each channel, and each thread of one, was read: by its key. */
const Cursor = Schema.fromJsonString(Schema.Record(Schema.String, Schema.String))
const decodeCursor = Schema.decodeUnknownOption(Cursor)

const decodeMark = Schema.decodeUnknownOption(
  Schema.Struct({ event_payload: Schema.Struct({ part: Schema.String }) })
)

type Heard =
  | { readonly envelope: Envelope }
  | { readonly connected: true }
  | { readonly failed: ChannelFailure }

/**
 * Slack, by its socket mode. An event is acknowledged behind the commit; what was not is told again, out of its order, and
 * for minutes only: so all that was missed is read from the channels first. A message carries a mark of ours, by which it is
 * found again.
 */
export const makeSlack = ({ appToken, token, url }: SlackOptions): ChannelAdapter => {
  const secret = Redacted.value(token)
  const at = url === undefined ? {} : { slackApiUrl: url }
  // Nothing is sent again without our knowing.
  const web = new WebClient(secret, {
    ...at,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout: 30_000,
    logger: silent
  })
  let team = ""
  let bot = ""

  const call = <A>(run: () => Promise<A>): Effect.Effect<A, ChannelFailure> =>
    Effect.tryPromise({ try: run, catch: failureOf })

  /** A call that was too fast, again when it may be. */
  const patiently = <A>(effect: Effect.Effect<A, ChannelFailure>): Effect.Effect<A, ChannelFailure> =>
    Effect.catchTag(effect, "TooFast", ({ retryAfter }) =>
      Effect.andThen(Effect.sleep(retryAfter), patiently(effect))
    )

  const contentOf = ({ buttons = [], text }: Outgoing) => ({
    text: text.slice(0, 3000),
    blocks: [
      { type: "markdown" as const, text },
      ...(buttons.length === 0
        ? []
        : [
            {
              type: "actions" as const,
              elements: buttons.map(({ id, label }) => ({
                type: "button" as const,
                action_id: id,
                value: id,
                text: { type: "plain_text" as const, text: label }
              }))
            }
          ])
    ]
  })
  const threaded = (chat: ChatKey) => {
    const { channel, thread } = placeOf(chat)
    return { channel, ...(thread !== undefined && { thread_ts: thread }) }
  }

  /** What was said in a chat after a moment, oldest first. */
  const saidAfter = Effect.fnUntraced(function* (chat: ChatKey, oldest: string) {
    const { channel, thread } = placeOf(chat)
    const found: Array<SlackMessage> = []
    let cursor: string | undefined
    do {
      const asked = {
        channel,
        oldest,
        limit: page,
        include_all_metadata: true,
        ...(cursor !== undefined && { cursor })
      }
      const answer: { messages?: ReadonlyArray<unknown>; response_metadata?: { next_cursor?: string } } =
        yield* patiently(
          call(() =>
            thread === undefined
              ? web.conversations.history(asked)
              : web.conversations.replies({ ...asked, ts: thread })
          )
        )
      for (const message of answer.messages ?? []) found.push(...Option.toArray(decodeMessage(message)))
      cursor =
        answer.response_metadata?.next_cursor === "" ? undefined : answer.response_metadata?.next_cursor
    } while (cursor !== undefined)
    return found.filter(({ ts }) => ts > oldest).toSorted((a, b) => (a.ts < b.ts ? -1 : 1))
  })

  return {
    limits,
    commandMark: "!",
    beginsEmpty: false,
    pace: () => 1100,
    account: Effect.gen(function* () {
      const me = yield* call(() => web.auth.test())
      team = me.team_id ?? ""
      bot = me.user_id ?? ""
      return { prefix: `slack:${team}`, name: me.user ?? "" }
    }),
    receive: ({ cursor: stored, known, take, up }) =>
      Effect.gen(function* () {
        const read = new Map(
          Object.entries(Option.getOrElse(stored === null ? Option.none() : decodeCursor(stored), () => ({})))
        )
        const chats = new Set<ChatKey>()
        const learn = Effect.gen(function* () {
          for (const chat of yield* known) chats.add(chat)
        })
        yield* learn
        const from: From = { team, bot, isKnown: (chat) => chats.has(chat) }
        /** Direct conversations and channels, and of the threads the newest. */
        const remembered = () => {
          const all = [...read].toSorted(([, a], [, b]) => (a < b ? 1 : -1))
          const isThread = ([key]: readonly [string, string]) => placeOf(key as ChatKey).thread !== undefined
          return [...all.filter((one) => !isThread(one)), ...all.filter(isThread).slice(0, threadsAtMost)]
        }
        const text = () => JSON.stringify(Object.fromEntries(remembered()))
        const isRead = (chat: string, ts: string) => {
          if ((read.get(chat) ?? "") < ts) read.set(chat, ts)
        }
        const heard = yield* Queue.unbounded<Heard>()
        const tell = (one: Heard) => void Queue.offerUnsafe(heard, one)
        const socket = new SocketModeClient({
          appToken: Redacted.value(appToken),
          logLevel: LogLevel.ERROR,
          logger: silent,
          clientOptions: { ...at, retryConfig: { retries: 0 } },
          autoReconnectEnabled: false
        })
        socket.on("slack_event", (envelope: Envelope) => tell({ envelope }))
        socket.on("connected", () => tell({ connected: true }))
        socket.on("disconnected", () =>
          tell({ failed: new Unanswered({ message: "The connection to Slack has ended." }) })
        )
        yield* Effect.addFinalizer(() => Effect.promise(() => socket.disconnect().catch(() => undefined)))
        yield* Effect.forkScoped(
          Effect.catch(
            call(() => socket.start()),
            (failed) => Effect.sync(() => tell({ failed }))
          )
        )

        /** Only what is heard is remembered: anybody may write in a channel. */
        const isHeard = (chat: ChatKey) => chats.has(chat)
        const keep = Effect.fnUntraced(function* (inbound: ReturnType<typeof saidIn>) {
          const [first] = inbound
          // A command by a slash has no moment in the conversation.
          const said = first?._tag === "Said" && /^\d+\.\d+$/.test(first.message) ? first : undefined
          const note = Effect.sync(() => {
            if (said === undefined || !isHeard(said.chat)) return
            isRead(said.chat, said.message)
            const { channel, thread } = placeOf(said.chat)
            // It begins a thread: only such ones are in the channel's own history.
            if (thread === said.message) isRead(keyOf(team, channel, undefined), said.message)
          })
          yield* note
          yield* take(inbound, text())
          // It is known from now on, if whoever began it was heard; and from there it is read, when we come again.
          if (said === undefined || !said.addressed || isHeard(said.chat)) return
          yield* learn
          yield* note
          if (isHeard(said.chat)) yield* take([], text())
        })
        const catchUp = Effect.gen(function* () {
          const missed: Array<{
            readonly ts: string
            readonly channel: string
            readonly message: SlackMessage
          }> = []
          for (const [key, oldest] of remembered()) {
            const chat = key as ChatKey
            const said = yield* saidAfter(chat, oldest).pipe(
              // It is gone, or the bot has left it.
              Effect.catchTag("Refused", () => Effect.succeed([]))
            )
            for (const message of said)
              missed.push({ ts: message.ts, channel: placeOf(chat).channel, message })
          }
          for (const { channel, message } of missed.toSorted((a, b) => (a.ts < b.ts ? -1 : 1)))
            yield* keep(saidIn(message, channel, from))
        })
        for (;;) {
          // What is told again overtakes: what is there at once is put into its order.
          const all = yield* Queue.takeAll(heard)
          const envelopes: Array<Envelope> = []
          for (const next of all) {
            if ("failed" in next) return yield* next.failed
            if ("connected" in next) {
              yield* catchUp
              yield* up
            } else envelopes.push(next.envelope)
          }
          for (const { ack, body, type } of envelopes.toSorted((a, b) => saidAt(a) - saidAt(b))) {
            // By what is known by now: the one before may have begun the thread.
            yield* keep(inboundOf(type, body, from))
            yield* Effect.ignore(call(() => ack()))
          }
        }
      }).pipe(Effect.scoped),
    send: (chat, _to, outgoing, { token: part }) =>
      call(() =>
        web.chat.postMessage({
          ...threaded(chat),
          ...contentOf(outgoing),
          unfurl_links: false,
          metadata: { event_type: "rejoin_part", event_payload: { part } }
        })
      ).pipe(
        Effect.flatMap(({ ts }) =>
          ts === undefined
            ? Effect.fail(new Unanswered({ message: "Slack did not say which message it is." }))
            : Effect.succeed(ts)
        )
      ),
    edit: (chat, message, outgoing) =>
      Effect.asVoid(
        call(() => web.chat.update({ channel: placeOf(chat).channel, ts: message, ...contentOf(outgoing) }))
      ),
    doubt: Effect.fnUntraced(function* (chat, _to, _outgoing, { since, token: part }) {
      const { channel, thread } = placeOf(chat)
      // Slack's clock and ours differ.
      const oldest = String(since / 1000 - 60)
      const { messages = [] } = yield* call(() =>
        thread === undefined
          ? web.conversations.history({ channel, oldest, limit: page, include_all_metadata: true })
          : web.conversations.replies({
              channel,
              ts: thread,
              oldest,
              limit: page,
              include_all_metadata: true
            })
      )
      const ours = messages.find(
        ({ metadata }) => Option.getOrUndefined(decodeMark(metadata))?.event_payload.part === part
      )
      if (ours?.ts !== undefined) return { sent: ours.ts }
      // It may be on its way still: a call of this library cannot be taken back.
      const left = since + onItsWay - (yield* Clock.currentTimeMillis)
      return left > 0 ? { wait: Math.min(left, 1000) } : { sent: null }
    }),
    pressed: (receipt, text) => {
      const [channel = "", user = ""] = receipt.split(" ")
      return Effect.asVoid(call(() => web.chat.postEphemeral({ channel, user, text })))
    },
    // It has no such sign for bots.
    typing: () => Effect.void,
    download: ({ id }) =>
      // The token goes along: to nobody but Slack.
      id.startsWith("https://files.slack.com/") || (url !== undefined && id.startsWith(new URL(url).origin))
        ? fetchFile(id, limits.download, { authorization: `Bearer ${secret}` })
        : Effect.fail(new Refused({ code: "address", message: "The file does not lie with Slack." })),
    upload: (chat, _to, { bytes, name }) => {
      const { channel, thread } = placeOf(chat)
      const file = { file: Buffer.from(bytes), filename: name }
      return call(() =>
        thread === undefined
          ? web.filesUploadV2({ channel_id: channel, ...file })
          : web.filesUploadV2({ channel_id: channel, thread_ts: thread, ...file })
      ).pipe(Effect.as(name))
    }
  }
}
