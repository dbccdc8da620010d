import { ProviderFailed } from "@rejoin/contracts/Errors"
import { newId } from "@rejoin/core/NewId"
import { Effect, Predicate } from "effect"

type Json = Readonly<Record<string, unknown>>

export interface Export {
  readonly info: Json
  readonly messages: ReadonlyArray<{ readonly info: Json; readonly parts: ReadonlyArray<Json> }>
}

export interface Copy {
  readonly sessionId: string
  readonly document: Export
  /** Which id each message of the source has in the copy. */
  readonly messageIds: ReadonlyMap<string, string>
}

const idOf = (record: Json): string => (Predicate.isString(record["id"]) ? record["id"] : "")

/**
 * The document of an export with new ids everywhere. With old message ids an import says success and brings none
 * (docs/providers/opencode.md: Another directory). Ids that come later sort later: the history is ordered by time and id.
 */
export const copyOf = Effect.fnUntraced(function* (source: Export) {
  const base = (yield* newId("x")).slice(2)
  const sessionId = `ses_${base}`
  const numbered = (prefix: string, i: number) => `${prefix}_${base}${String(i).padStart(6, "0")}`
  const messageIds = new Map(source.messages.map(({ info }, i) => [idOf(info), numbered("msg", i)]))
  let parts = 0
  const messages = source.messages.map(({ info, parts: own }) => {
    const id = messageIds.get(idOf(info))
    const parentID = Predicate.isString(info["parentID"]) ? messageIds.get(info["parentID"]) : undefined
    return {
      info: { ...info, id, sessionID: sessionId, ...(parentID !== undefined && { parentID }) },
      parts: own.map((part) => ({
        ...part,
        id: numbered("prt", parts++),
        messageID: id,
        sessionID: sessionId
      }))
    }
  })
  // Its permissions are applied and read back as those of any start; a revert belongs to the old ids.
  const { permission: _, revert: __, parentID: ___, share: ____, ...info } = source.info
  const copy: Copy = { sessionId, messageIds, document: { info: { ...info, id: sessionId }, messages } }
  return copy
})

/** Only what an export is made of. */
export const isExport = (
  provider: string,
  info: unknown,
  messages: unknown
): Effect.Effect<Export, ProviderFailed> =>
  Predicate.isObject(info) &&
  Array.isArray(messages) &&
  messages.every(
    (message) => Predicate.hasProperty(message, "info") && Predicate.hasProperty(message, "parts")
  )
    ? Effect.succeed({ info, messages: messages as Export["messages"] })
    : Effect.fail(
        new ProviderFailed({
          provider,
          message: "OpenCode's session cannot be exported: it is of an unknown shape."
        })
      )
