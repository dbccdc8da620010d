import { ChatKey, type Inbound, type RemoteFile } from "@rejoin/channels/Inbound"
import {
  type APIInteraction,
  type APIMessage,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ComponentType,
  InteractionType,
  MessageType
} from "@discordjs/core"

/** By the channel, and not by who speaks there: two channels would share what was said. */
export const keyOf = (channel: string): ChatKey => ChatKey.make(`discord:${channel}`)

export const channelOf = (key: ChatKey): string => key.slice("discord:".length)

/** What is known of a channel: the server and the channel that it is part of; none between two. */
export interface Place {
  readonly groups: ReadonlyArray<string>
}

const filesOf = ({ attachments }: APIMessage): ReadonlyArray<RemoteFile> =>
  attachments.map(({ content_type, filename, size, url }) => ({
    id: url,
    name: filename,
    mediaType: content_type ?? "application/octet-stream",
    bytes: size
  }))

const naming = (bot: string) => new RegExp(`<@!?${bot}>`, "g")

interface From {
  readonly bot: string
  readonly place: Place
}

/** What people write; joins, pins and the like are none of it. */
export const saidIn = (message: APIMessage, { bot, place: { groups } }: From): ReadonlyArray<Inbound> => {
  const { author, channel_id, content, id, mentions, referenced_message, type } = message
  if (author.bot === true || (type !== MessageType.Default && type !== MessageType.Reply)) return []
  const files = filesOf(message)
  const text = content.replaceAll(naming(bot), "").trim()
  if (text === "" && files.length === 0) return []
  return [
    {
      _tag: "Said",
      chat: keyOf(channel_id),
      sender: { id: author.id, name: author.global_name ?? author.username },
      groups,
      message: id,
      text,
      addressed: mentions.some((user) => user.id === bot) || referenced_message?.author.id === bot,
      files
    }
  ]
}

export const editedIn = (message: APIMessage, from: From): ReadonlyArray<Inbound> =>
  saidIn(message, from).flatMap((said) =>
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

const senderOf = ({ member, user }: APIInteraction) => {
  const found = member?.user ?? user
  return { id: found?.id ?? "", name: found?.global_name ?? found?.username ?? "" }
}

/** A press on a button, or one of our commands, which Discord's own field for them gives. */
export const interactionIn = (
  interaction: APIInteraction,
  { place: { groups } }: From
): ReadonlyArray<Inbound> => {
  const { channel, id, token } = interaction
  if (channel === undefined) return []
  const from = { chat: keyOf(channel.id), sender: senderOf(interaction), groups, message: id }
  if (interaction.type === InteractionType.MessageComponent) {
    const { component_type, custom_id } = interaction.data
    if (component_type !== ComponentType.Button) return []
    return [{ _tag: "Pressed", ...from, button: custom_id, receipt: token }]
  }
  if (interaction.type !== InteractionType.ApplicationCommand) return []
  const { data } = interaction
  if (data.type !== ApplicationCommandType.ChatInput) return []
  const words = (data.options ?? []).flatMap((option) =>
    option.type === ApplicationCommandOptionType.String ? [option.value] : []
  )
  return [
    {
      _tag: "Said",
      ...from,
      text: ["/", data.name, ...words.map((word) => ` ${word}`)].join(""),
      addressed: true,
      files: []
    }
  ]
}
