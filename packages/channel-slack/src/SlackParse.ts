import { ChatKey, type Inbound, type RemoteFile } from "@rejoin/channels/Inbound"
import { commands } from "@rejoin/channels/Command"
import { Option, Schema } from "effect"

/** A direct conversation is one thread; in a channel each of Slack's threads is one. */
export const keyOf = (team: string, channel: string, thread: string | undefined): ChatKey =>
  ChatKey.make(`slack:${team}:${channel}${thread === undefined ? "" : `:${thread}`}`)

export const placeOf = (key: ChatKey): { readonly channel: string; readonly thread: string | undefined } => {
  const [, , channel = "", thread] = key.split(":")
  return { channel, thread }
}

const File = Schema.Struct({
  name: Schema.optional(Schema.NullOr(Schema.String)),
  mimetype: Schema.optional(Schema.NullOr(Schema.String)),
  size: Schema.optional(Schema.NullOr(Schema.Finite)),
  url_private_download: Schema.optional(Schema.NullOr(Schema.String)),
  url_private: Schema.optional(Schema.NullOr(Schema.String))
})

/** As an event, or as the history has it. */
export const SlackMessage = Schema.Struct({
  type: Schema.optional(Schema.String),
  subtype: Schema.optional(Schema.String),
  channel: Schema.optional(Schema.String),
  channel_type: Schema.optional(Schema.String),
  user: Schema.optional(Schema.String),
  bot_id: Schema.optional(Schema.NullOr(Schema.String)),
  text: Schema.optional(Schema.NullOr(Schema.String)),
  ts: Schema.String,
  thread_ts: Schema.optional(Schema.String),
  files: Schema.optional(Schema.Array(File))
})
export type SlackMessage = typeof SlackMessage.Type

const Edit = Schema.Struct({
  subtype: Schema.Literal("message_changed"),
  channel: Schema.String,
  message: SlackMessage
})
const Press = Schema.Struct({
  type: Schema.Literal("block_actions"),
  trigger_id: Schema.String,
  user: Schema.Struct({
    id: Schema.String,
    username: Schema.optional(Schema.String),
    name: Schema.optional(Schema.String)
  }),
  channel: Schema.Struct({ id: Schema.String }),
  message: Schema.optional(Schema.Struct({ ts: Schema.String, thread_ts: Schema.optional(Schema.String) })),
  actions: Schema.Array(Schema.Struct({ value: Schema.optional(Schema.String) }))
})
const Slash = Schema.Struct({
  command: Schema.String,
  text: Schema.optional(Schema.String),
  channel_id: Schema.String,
  user_id: Schema.String,
  user_name: Schema.optional(Schema.String),
  trigger_id: Schema.String
})
const Envelope = Schema.Struct({ event: Schema.Unknown })

export const decodeMessage = Schema.decodeUnknownOption(SlackMessage)
const decodeEdit = Schema.decodeUnknownOption(Edit)
const decodePress = Schema.decodeUnknownOption(Press)
const decodeSlash = Schema.decodeUnknownOption(Slash)
const decodeEnvelope = Schema.decodeUnknownOption(Envelope)

export interface From {
  readonly team: string
  /** The bot's own user. */
  readonly bot: string
  /** Whether we answered in this thread before: what is said there is said to us. */
  readonly isKnown: (chat: ChatKey) => boolean
}

/** Slack's own names: `D` for what is between two. */
const isDirect = (channel: string) => channel.startsWith("D")

// Slack takes what begins with a slash for itself, and knows no command within a thread.
const names = [...commands.map(({ name }) => name), "reset", "accept", "decline"].join("|")
const named = new RegExp(`^!(?=(?:${names})\\b)`, "i")
const isCommand = new RegExp(`^(?:${names})\\b`, "i")

/** Slack escapes these three, and no more. */
const plain = (text: string) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&")

const filesOf = ({ files = [] }: SlackMessage): ReadonlyArray<RemoteFile> =>
  files.flatMap(({ mimetype, name, size, url_private, url_private_download }) => {
    const id = url_private_download ?? url_private
    return id == null
      ? []
      : [{ id, name: name ?? "file", mediaType: mimetype ?? "application/octet-stream", bytes: size ?? null }]
  })

/** What people write. Of a message two events are told, of one id. */
export const saidIn = (
  message: SlackMessage,
  channel: string,
  { bot, isKnown, team }: From
): ReadonlyArray<Inbound> => {
  const { bot_id, subtype, text, thread_ts, ts, user } = message
  if (user === undefined || user === bot || bot_id != null) return []
  if (subtype !== undefined && subtype !== "file_share" && subtype !== "thread_broadcast") return []
  const naming = new RegExp(`<@${bot}(?:\\|[^>]*)?>`, "g")
  const said = text ?? ""
  const files = filesOf(message)
  const words = plain(said.replaceAll(naming, "").trim()).replace(named, "/")
  if (words === "" && files.length === 0) return []
  const chat = keyOf(team, channel, isDirect(channel) ? undefined : (thread_ts ?? ts))
  return [
    {
      _tag: "Said",
      chat,
      sender: { id: user, name: user },
      groups: isDirect(channel) ? [] : [channel],
      message: ts,
      text: words,
      addressed: naming.test(said) || (thread_ts !== undefined && isKnown(chat)),
      files
    }
  ]
}

/** What an envelope of the connection says, in our words. */
export const inboundOf = (type: string, body: unknown, from: From): ReadonlyArray<Inbound> => {
  if (type === "events_api") {
    const event = Option.getOrUndefined(decodeEnvelope(body))?.event
    const edit = Option.getOrUndefined(decodeEdit(event))
    if (edit !== undefined) {
      return saidIn({ ...edit.message, subtype: undefined }, edit.channel, from).flatMap((said) =>
        said._tag === "Said"
          ? [
              {
                _tag: "Edited",
                chat: said.chat,
                sender: said.sender,
                groups: said.groups,
                message: said.message,
                text: said.text
              }
            ]
          : []
      )
    }
    const message = Option.getOrUndefined(decodeMessage(event))
    return message?.channel === undefined ? [] : saidIn(message, message.channel, from)
  }
  const place = (channel: string, thread: string | undefined) => ({
    chat: keyOf(from.team, channel, isDirect(channel) ? undefined : thread),
    groups: isDirect(channel) ? [] : [channel]
  })
  const press = Option.getOrUndefined(decodePress(body))
  const button = press?.actions[0]?.value
  if (press !== undefined && button !== undefined) {
    const { channel, message, trigger_id, user } = press
    return [
      {
        _tag: "Pressed",
        ...place(channel.id, message?.thread_ts ?? message?.ts),
        sender: { id: user.id, name: user.name ?? user.username ?? user.id },
        message: trigger_id,
        button,
        receipt: `${channel.id} ${user.id}`
      }
    ]
  }
  const slash = Option.getOrUndefined(decodeSlash(body))
  if (slash === undefined) return []
  const { channel_id, text = "", trigger_id, user_id, user_name } = slash
  return [
    {
      _tag: "Said",
      ...place(channel_id, undefined),
      sender: { id: user_id, name: user_name ?? user_id },
      message: trigger_id,
      text: text.trim() === "" ? "/help" : isCommand.test(text.trim()) ? `/${text.trim()}` : text.trim(),
      addressed: true,
      files: []
    }
  ]
}
