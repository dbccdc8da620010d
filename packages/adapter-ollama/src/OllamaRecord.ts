import { MessageId } from "@rejoin/contracts/Ids"
import { Timestamp } from "@rejoin/contracts/Time"
import { Option, Result, Schema } from "effect"

// The record of a conversation: a file of ours, a JSON document a line, which only grows.

const Image = Schema.Struct({ mediaType: Schema.String, data: Schema.String })

const Head = Schema.Struct({
  type: Schema.Literal("conversation"),
  v: Schema.Literal(1),
  id: Schema.String,
  /** By this a thread of ours is known as ours. */
  title: Schema.String,
  systemPrompt: Schema.NullOr(Schema.String),
  at: Timestamp
})

const User = Schema.Struct({
  type: Schema.Literal("user"),
  id: MessageId,
  text: Schema.String,
  images: Schema.Array(Image),
  at: Timestamp
})
export type User = typeof User.Type

const Assistant = Schema.Struct({
  type: Schema.Literal("assistant"),
  text: Schema.String,
  /** It was cut off: by its user, by an error, or by the end of the window. */
  partial: Schema.Boolean,
  model: Schema.String,
  /** How many tokens the model read for it, and wrote, where its server told. */
  promptTokens: Schema.optionalKey(Schema.Int),
  answerTokens: Schema.optionalKey(Schema.Int),
  at: Timestamp
})
export type Assistant = typeof Assistant.Type

/** A message that the model is told no more: with it nothing could be asked again. */
const LeftOut = Schema.Struct({
  type: Schema.Literal("left-out"),
  id: MessageId,
  why: Schema.String,
  at: Timestamp
})

export const Line = Schema.Union([Head, User, Assistant, LeftOut])
export type Line = typeof Line.Type
export type Head = typeof Head.Type

const decode = Schema.decodeUnknownResult(Schema.fromJsonString(Line))

export interface OllamaRecord {
  readonly head: Head
  readonly lines: ReadonlyArray<User | Assistant>
  readonly leftOut: ReadonlySet<string>
}

/** None for what is no record of ours. A line that was cut off by a crash is at the end, and was never told of. */
export const recordOf = (text: string): Option.Option<OllamaRecord> => {
  const lines: Array<User | Assistant> = []
  const leftOut = new Set<string>()
  let head: Head | undefined
  // What stands behind the last end of a line was not written whole.
  for (const part of text.slice(0, text.lastIndexOf("\n") + 1).split("\n")) {
    if (part === "") continue
    const line = decode(part)
    if (Result.isFailure(line)) return Option.none()
    const { success } = line
    if (success.type === "conversation") head = success
    else if (success.type === "left-out") leftOut.add(success.id)
    else lines.push(success)
  }
  return head === undefined ? Option.none() : Option.some({ head, lines, leftOut })
}

export interface Message {
  readonly role: "system" | "user" | "assistant"
  readonly text: string
  readonly images: ReadonlyArray<{ readonly mediaType: string; readonly data: string }>
}

const unanswered = "(There was no answer.)"

/** To and fro: some models take no other order. What was interrupted or failed before a word of an answer says so. */
const alternating = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  const told: Array<Message> = []
  for (const message of messages) {
    const last = told.at(-1)
    if (last?.role === "user" && message.role === "user")
      told.push({ role: "assistant", text: unanswered, images: [] })
    if (last?.role === "assistant" && message.role === "assistant")
      told.splice(-1, 1, { ...last, text: `${last.text}\n\n${message.text}` })
    else told.push(message)
  }
  return told
}

/** What the model is told: all of it, from the beginning. */
export const messagesOf = ({ head, leftOut, lines }: OllamaRecord): ReadonlyArray<Message> =>
  alternating([
    ...(head.systemPrompt === null ? [] : [{ role: "system" as const, text: head.systemPrompt, images: [] }]),
    ...lines.flatMap((line): ReadonlyArray<Message> => {
      if (line.type === "user")
        return leftOut.has(line.id) ? [] : [{ role: "user", text: line.text, images: line.images }]
      return line.text === "" ? [] : [{ role: "assistant", text: line.text, images: [] }]
    })
  ])

/** A word is a token at least: models cut a text at its blanks first. */
const wordsIn = (text: string): number => text.split(/\s+/).filter((word) => word !== "").length

/**
 * How many tokens all of it has at least: what its server counted when it was last told, and a token a word of what came
 * since. Zero where nothing was counted by this model.
 */
export const leastTokens = ({ leftOut, lines }: OllamaRecord, model: string): number => {
  const at = lines.findLastIndex((line) => line.type === "assistant" && line.promptTokens !== undefined)
  const last = lines[at]
  if (last?.type !== "assistant" || last.model !== model) return 0
  const { promptTokens = 0 } = last
  // Not what its server counted of it: what a model thought is counted there, and is not told again.
  const answer = wordsIn(last.text.replaceAll(/<think>[^]*?(<\/think>|$)/g, ""))
  return lines
    .slice(at + 1)
    .filter((line) => line.type === "assistant" || !leftOut.has(line.id))
    .reduce((sum, { text }) => sum + wordsIn(text), promptTokens + answer)
}

/** The lines of a fork: up to the message that came next. */
export const linesUntil = (record: OllamaRecord, next: string | null): ReadonlyArray<User | Assistant> => {
  const end = next === null ? -1 : record.lines.findIndex((line) => line.type === "user" && line.id === next)
  return end < 0 ? record.lines : record.lines.slice(0, end)
}

export const encodeLines = (lines: ReadonlyArray<Line>): string =>
  lines.map((line) => `${JSON.stringify(line)}\n`).join("")
