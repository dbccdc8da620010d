import { Schema } from "effect"

// What comes from a platform, in words that all of them share. It is kept as it came until it was dealt with.

/**
 * A chat, as our threads know it: `telegram:<bot>:<chat>[:<topic>]`, `discord:<channel>`,
 * `slack:<team>:<channel>[:<thread>]`, `whatsapp:<number>:<person>`.
 */
export const ChatKey = Schema.String.pipe(Schema.brand("ChatKey"))
export type ChatKey = typeof ChatKey.Type

/** By the platform's own number; the name is what it showed, and proves nothing. */
export const Person = Schema.Struct({ id: Schema.String, name: Schema.String })
export type Person = typeof Person.Type

/** A file that lies on the platform until it is fetched. */
export const RemoteFile = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  mediaType: Schema.String,
  /** Null where the platform does not say it. */
  bytes: Schema.NullOr(Schema.Int)
})
export type RemoteFile = typeof RemoteFile.Type

const from = {
  chat: ChatKey,
  sender: Person,
  /** The group in which it was said, and what that is part of; none between two. */
  groups: Schema.Array(Schema.String)
}

/** Something was said. */
export const Said = Schema.TaggedStruct("Said", {
  ...from,
  /** The platform's id of the message: unique within its chat. */
  message: Schema.String,
  text: Schema.String,
  /** In a group: it names the bot, answers it, or is a command of its. */
  addressed: Schema.Boolean,
  files: Schema.Array(RemoteFile),
  /** Several messages that are one: pictures that were sent together. */
  album: Schema.optionalKey(Schema.String),
  /** The key of its chat when it came, where that has another one now. */
  cameIn: Schema.optionalKey(ChatKey)
})
export type Said = typeof Said.Type

/** What was said is changed afterwards; or only something about it. */
export const Edited = Schema.TaggedStruct("Edited", {
  ...from,
  message: Schema.String,
  text: Schema.String
})
export type Edited = typeof Edited.Type

/** A button was pressed. */
export const Pressed = Schema.TaggedStruct("Pressed", {
  ...from,
  /** The platform's id of the press. */
  message: Schema.String,
  /** What we gave the button. */
  button: Schema.String,
  /** By which the platform is told that the press has come. */
  receipt: Schema.String
})
export type Pressed = typeof Pressed.Type

/** A chat has another key from now on. */
export const Renamed = Schema.TaggedStruct("Renamed", { chat: ChatKey, to: ChatKey })
export type Renamed = typeof Renamed.Type

/** What was taken before has not arrived after all. `later`: it may be sent again, when its person has written. */
export const Undelivered = Schema.TaggedStruct("Undelivered", {
  chat: ChatKey,
  /** The platform's id of our message. */
  remote: Schema.String,
  why: Schema.String,
  later: Schema.Boolean
})
export type Undelivered = typeof Undelivered.Type

export const Inbound = Schema.Union([Said, Edited, Pressed, Renamed, Undelivered])
export type Inbound = typeof Inbound.Type
