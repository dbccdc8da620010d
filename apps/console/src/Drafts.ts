import { Option, Schema } from "effect"

/**
 * What was typed and not sent yet, and the key under which it is sent: the same, until it is known to have arrived. So a
 * message whose answer was lost is one turn, also when it is sent once more from a page that was loaded anew.
 */
const Draft = Schema.Struct({ text: Schema.String, key: Schema.NonEmptyString })
export type Draft = typeof Draft.Type

const read = Schema.decodeUnknownOption(Schema.fromJsonString(Draft))

const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join("-")

/** Another text is another message. */
export const draft = (text: string): Draft => ({ text, key: newKey() })

const placeOf = (threadId: string) => `rejoin.draft.${threadId}`

/** Of a thread, or of `new`: kept for as long as the tab is, over reloads and other threads. */
export const draftOf = (threadId: string): Draft =>
  Option.getOrElse(read(sessionStorage.getItem(placeOf(threadId))), () => draft(""))

export const keepDraft = (threadId: string, kept: Draft): void => {
  if (kept.text === "") return sessionStorage.removeItem(placeOf(threadId))
  try {
    sessionStorage.setItem(placeOf(threadId), JSON.stringify(kept))
  } catch {
    // More than a tab may keep: then it is kept for as long as it is shown.
  }
}
