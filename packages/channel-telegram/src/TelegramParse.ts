import { ChatKey, type Inbound, type RemoteFile } from "@rejoin/channels/Inbound"
import { commandIn } from "@rejoin/channels/Command"
import type { Chat, Message, Update, User } from "grammy/types"

export interface Bot {
  readonly id: number
  readonly username: string
}

/** A group is one thread for all its people; each of its topics is one of its own. */
export const keyOf = (bot: Pick<Bot, "id">, chat: number, topic?: number): ChatKey =>
  ChatKey.make(`telegram:${bot.id}:${chat}${topic === undefined ? "" : `:${topic}`}`)

export const placeOf = (key: ChatKey): { readonly chat: number; readonly topic: number | undefined } => {
  const [, , chat, topic] = key.split(":")
  return { chat: Number(chat), topic: topic === undefined ? undefined : Number(topic) }
}

/** A reply in an ordinary group carries a `message_thread_id` too: only a topic's is one. */
const topicOf = ({ is_topic_message, message_thread_id }: Message) =>
  is_topic_message === true ? message_thread_id : undefined

const person = ({ first_name, id, last_name }: User) => ({
  id: String(id),
  name: last_name === undefined ? first_name : `${first_name} ${last_name}`
})

const groupsOf = ({ id, type }: Chat) => (type === "private" ? [] : [String(id)])

const filesOf = (message: Message): ReadonlyArray<RemoteFile> => {
  const photo = message.photo?.at(-1)
  const found = [
    photo && { ...photo, file_name: `photo-${message.message_id}.jpg`, mime_type: "image/jpeg" },
    message.document,
    message.audio,
    message.video && { file_name: `video-${message.message_id}.mp4`, ...message.video },
    message.voice && { ...message.voice, file_name: `voice-${message.message_id}.ogg` }
  ]
  return found.flatMap((file) =>
    file === undefined
      ? []
      : [
          {
            id: file.file_id,
            name: file.file_name ?? `file-${message.message_id}`,
            mediaType: file.mime_type ?? "application/octet-stream",
            bytes: file.file_size ?? null
          }
        ]
  )
}

const naming = (bot: Bot) => new RegExp(`@${bot.username}\\b`, "gi")

const isAddressed = (bot: Bot, message: Message, text: string): boolean =>
  message.reply_to_message?.from?.id === bot.id ||
  naming(bot).test(text) ||
  commandIn(text, bot.username) !== undefined

const fromMessage = (bot: Bot, message: Message, isEdit: boolean): ReadonlyArray<Inbound> => {
  const { chat, from, media_group_id: album, message_id } = message
  if (message.migrate_to_chat_id !== undefined)
    return [{ _tag: "Renamed", chat: keyOf(bot, chat.id), to: keyOf(bot, message.migrate_to_chat_id) }]
  if (from === undefined || from.is_bot) return []
  const said = message.text ?? message.caption ?? ""
  const files = filesOf(message)
  if (said === "" && files.length === 0) return []
  const groups = groupsOf(chat)
  const about = {
    chat: keyOf(bot, chat.id, topicOf(message)),
    sender: person(from),
    groups,
    message: String(message_id),
    // By which it is addressed is not what is said. A command says so itself.
    text: groups.length === 0 || said.startsWith("/") ? said : said.replaceAll(naming(bot), "").trim()
  }
  return isEdit
    ? [{ _tag: "Edited", ...about }]
    : [{ _tag: "Said", ...about, addressed: isAddressed(bot, message, said), files, ...(album && { album }) }]
}

/** What an update says, in our words. What is not for us, or not understood, says nothing. */
export const inboundOf = (bot: Bot, update: Update): ReadonlyArray<Inbound> => {
  if (update.message !== undefined) return fromMessage(bot, update.message, false)
  if (update.edited_message !== undefined) return fromMessage(bot, update.edited_message, true)
  const press = update.callback_query
  if (press?.message === undefined || press.data === undefined) return []
  const { chat } = press.message
  return [
    {
      _tag: "Pressed",
      chat: keyOf(bot, chat.id, "text" in press.message ? topicOf(press.message) : undefined),
      sender: person(press.from),
      groups: groupsOf(chat),
      message: `press:${press.id}`,
      button: press.data,
      receipt: press.id
    }
  ]
}
