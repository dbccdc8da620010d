import type { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import type { Piece, TranscriptFiles } from "@rejoin/core/store/TranscriptStore"
import { Effect, Predicate, Result, Schema } from "effect"
import { isNotFound, type OpenCodeClient } from "./OpenCodeClient.ts"
import type { Export } from "./OpenCodeCopy.ts"

/** OpenCode keeps a session in a database of its own: its records are what its interface tells, each in a file. */
const sessionFile = "session.json"
const messageFile = (id: string) => `messages/${id}.json`

export const isRecord = (file: string): boolean =>
  file === sessionFile || /^messages\/msg_\w+\.json$/.test(file)

const Position = Schema.Struct({ last: Schema.NullOr(Schema.String), session: Schema.String })
const isPosition = Schema.is(Position)

const Message = Schema.StructWithRest(
  Schema.Struct({
    info: Schema.StructWithRest(Schema.Struct({ id: Schema.String }), [
      Schema.Record(Schema.String, Schema.Unknown)
    ])
  }),
  [Schema.Record(Schema.String, Schema.Unknown)]
)
const Messages = Schema.Array(Message)

const piece = (file: string, record: unknown): Piece => ({
  file,
  from: 0,
  data: new TextEncoder().encode(JSON.stringify(record))
})

/** What of a session tells whether it is another one: it is touched by each turn. */
const essenceOf = (session: unknown): string =>
  JSON.stringify(session, (key, value: unknown) =>
    key === "time" || key === "tokens" || key === "cost" ? undefined : value
  )

/**
 * What is new in a session: its messages from the last one on that is known, which may have gone on since. Undefined
 * where there is no such session.
 */
export const newRecords = Effect.fnUntraced(function* (
  client: OpenCodeClient,
  sessionID: string,
  before: unknown
): Effect.fn.Return<
  { readonly pieces: ReadonlyArray<Piece>; readonly position: unknown; readonly anew: boolean } | undefined,
  ProviderFailed | ProviderUnavailable
> {
  const answer = yield* client.ask((sdk, signal) => sdk.session.get({ sessionID }, { signal }))
  if (isNotFound(answer)) return undefined
  if (answer._tag !== "Ok") return yield* client.failure("session", answer)
  const known = isPosition(before) ? before : undefined
  const messages = (limit?: number) =>
    client.read("messages", Messages, (sdk, signal) =>
      sdk.session.messages({ sessionID, ...(limit !== undefined && { limit }) }, { signal })
    )
  const at = (all: typeof Messages.Type) => all.findIndex(({ info }) => info.id === known?.last)
  // The newest back to the one that is known; all of them where that is far, or gone.
  let all = yield* messages(known === undefined ? undefined : 20)
  if (known !== undefined && at(all) < 0) all = yield* messages()
  const anew = known === undefined || (known.last !== null && at(all) < 0)
  const fresh = anew ? all : all.slice(Math.max(at(all), 0))
  const session = essenceOf(answer.data)
  const pieces = fresh.map((message) => piece(messageFile(message.info.id), message))
  if (anew || session !== known.session) pieces.unshift(piece(sessionFile, answer.data))
  return { pieces, position: { last: all.at(-1)?.info.id ?? null, session }, anew }
})

/** What was copied, as a document that OpenCode imports; undefined where it is not all there. */
export const documentOf = (files: TranscriptFiles): Export | undefined => {
  const parse = (data: Uint8Array | undefined): unknown =>
    data === undefined
      ? undefined
      : Result.getOrUndefined(Result.try(() => JSON.parse(new TextDecoder().decode(data)) as unknown))
  const info = parse(files.get(sessionFile))
  const messages = [...files].flatMap(([file, data]) => (file === sessionFile ? [] : [parse(data)]))
  const isWhole =
    Predicate.isObject(info) &&
    messages.every(
      (message) => Predicate.hasProperty(message, "info") && Predicate.hasProperty(message, "parts")
    )
  return isWhole ? ({ info, messages } as unknown as Export) : undefined
}
