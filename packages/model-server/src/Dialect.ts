import { Data, type Effect, type Schema } from "effect"
import type { Conversation, Reply } from "./Model.ts"

export interface Asked extends Omit<Conversation, "attempt"> {
  readonly stream: boolean
  /** A question of the agent's own, beside the conversation: a title, a probe. It is answered with a word. */
  readonly aside: boolean
}

/** The server of the model does not take it. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly status: number
  readonly message: string
}> {}

/** One of the APIs by which agents speak to a model. */
export interface Dialect {
  readonly path: "/v1/chat/completions" | "/v1/responses" | "/v1/messages" | "/api/chat" | "/v1beta/models/*"
  /** Of what is streamed; server-sent events, unless another is named. */
  readonly contentType?: string
  readonly read: (body: unknown, url: string) => Effect.Effect<Asked, Schema.SchemaError | Refused>
  /** The server-sent events of an answer. One that hangs has no end. */
  readonly frames: (asked: Asked, reply: Reply) => Iterable<string>
  /** The same as one document, for who does not stream. */
  readonly whole: (asked: Asked, reply: Reply) => unknown
  readonly failure: (status: number, message: string) => unknown
}

/** A server-sent event of a named type. */
export const frame = (type: string, data: Readonly<Record<string, unknown>>): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`

export const words = (text: string): ReadonlyArray<string> => text.match(/\S+\s*/g) ?? []

// Four characters a token is the usual guess; nobody is billed by it.
export const tokens = (value: unknown): number =>
  Math.ceil((typeof value === "string" ? value : JSON.stringify(value)).length / 4)

export const textOf = (reply: Reply): string =>
  reply._tag === "Say" || reply._tag === "Hang" ? reply.text : ""

/** A text's own words: agents put what they have to say into the user's messages, between tags of theirs. */
export const ownWords = (text: string): string => {
  const rest = text
    .replaceAll(/<(system-reminder|current_datetime|mode_changed_notice|reminder)>[\s\S]*?<\/\1>/g, "")
    .trim()
    // In its plan mode an agent puts this before what is said.
    .replace(/^\[\[PLAN\]\] /, "")
    .trim()
  return /^(<[a-zA-Z_-]+[ >]|# AGENTS\.md|\[Request interrupted)/.test(rest) ? "" : rest
}
