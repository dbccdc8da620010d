import { StoreFailed } from "@rejoin/contracts/Errors"
import type { ItemId, ReceiptId, TurnId } from "@rejoin/contracts/Ids"
import { isOpen, isSettled } from "@rejoin/contracts/Turn"
import type { Timestamp } from "@rejoin/contracts/Time"
import { Effect, Option, Stream } from "effect"
import { sha256 } from "../Sha256.ts"
import type { Binding, ThreadRecord, TurnRecord } from "../store/Records.ts"
import type { ThreadStore } from "../store/ThreadStore.ts"
import type { TranscriptHead } from "../store/TranscriptStore.ts"
import { hashOf, noHash } from "../transcripts/TranscriptPieces.ts"
import { encodeLine, type Header, type Line, version } from "./Bundle.ts"

export interface Exported {
  readonly thread: ThreadRecord
  readonly binding: Binding
  /** Our copy of the session that the thread is bound to, where there is one. */
  readonly head: TranscriptHead | undefined
  readonly at: Timestamp
}

type Store = ThreadStore["Service"]
type Lines = Stream.Stream<Line, StoreFailed>

const page = 100

const headerOf = ({ at, binding, thread }: Exported): Header => {
  const { extraEnv, ...portable } = thread
  const { cwd, generation, mark, mode, model, prior, providerSessionId, resetRequested, storeId } = binding
  return {
    kind: "header",
    format: "rejoin-thread",
    version,
    at,
    thread: portable,
    session: { storeId, providerSessionId, cwd, mode, model, generation, prior, mark, resetRequested },
    variables: Object.keys(extraEnv)
  }
}

/** All pages of a list, one after the other. */
const paged = <A extends { readonly id: Id }, Id>(
  list: (after: Id | undefined) => Effect.Effect<ReadonlyArray<A>, StoreFailed>
) =>
  Stream.paginate<Id | undefined, A, StoreFailed>(undefined, (after) =>
    Effect.map(list(after), (found) => [
      found,
      found.length < page ? Option.none() : Option.fromUndefinedOr(found.at(-1)?.id)
    ])
  )

const blobsOf = (store: Store, turn: TurnRecord): Lines => {
  const refs = [...turn.attachments, ...turn.steers.flatMap(({ attachments = [] }) => attachments)]
  return Stream.fromArray([...new Set(refs.map(({ hash }) => hash))]).pipe(
    // One that was purged is not there any more; its turn still says what it was.
    Stream.mapEffect((hash) =>
      Effect.map(
        store.getBlob(hash),
        Option.map((data) => ({ hash, data }))
      )
    ),
    Stream.flatMap((found) => Stream.fromArray(Option.toArray(found))),
    Stream.map((blob): Line => ({ kind: "blob", turnId: turn.id, ...blob }))
  )
}

/** What was said up to now: a turn that begins meanwhile is not in it, and nothing of it. */
const said = (store: Store, { thread }: Exported): Lines => {
  const known = new Set<TurnId>()
  const turns = paged((after: TurnId | undefined) => store.listTurns(thread.id, { after, limit: page })).pipe(
    Stream.takeWhile(({ status }) => !isOpen(status)),
    // One that waits for its time may stand before others that have ended.
    Stream.filter(({ status }) => isSettled(status)),
    Stream.flatMap((turn) => {
      known.add(turn.id)
      return Stream.concat(Stream.make<[Line]>({ kind: "turn", turn }), blobsOf(store, turn))
    })
  )
  const items = paged((after: ItemId | undefined) =>
    store.listItems(thread.id, { after: after ?? null, limit: page })
  ).pipe(
    Stream.filter(({ turnId }) => known.has(turnId)),
    Stream.map((item): Line => ({ kind: "item", item }))
  )
  const receipts = paged((after: ReceiptId | undefined) =>
    store.listReceipts(thread.id, { after, first: "oldest", limit: page })
  ).pipe(Stream.map((receipt): Line => ({ kind: "receipt", receipt })))
  const lineage = Stream.fromIterableEffect(store.listLineage(thread.id)).pipe(
    Stream.map((entry): Line => ({ kind: "lineage", entry }))
  )
  return turns.pipe(Stream.concat(items), Stream.concat(receipts), Stream.concat(lineage))
}

const changed = new StoreFailed({
  message: "Our copy of the conversation changed while it was exported.",
  hint: "Nothing is lost: export it again."
})

/** The agent's own record, up to where the head says; what was taken since belongs to another head. */
const copied = (store: Store, head: TranscriptHead): Lines => {
  let left = head.bytes
  let hash = noHash
  const pieces = store.transcripts.pieces(head.threadId).pipe(
    Stream.takeWhile(() => left > 0),
    Stream.tap((piece) =>
      Effect.gen(function* () {
        left -= piece.data.length
        hash = yield* hashOf(hash, [piece])
      })
    ),
    Stream.map((piece): Line => ({ kind: "piece", ...piece }))
  )
  const whole = Stream.drain(
    Stream.fromEffect(Effect.suspend(() => (hash === head.hash ? Effect.void : Effect.fail(changed))))
  )
  return Stream.make<[Line]>({ kind: "transcript", head }).pipe(Stream.concat(pieces), Stream.concat(whole))
}

const encoder = new TextEncoder()

/** Of a line and of all that came before it. */
export const chained = (before: string, line: string) => sha256(`${before}\n${line}`)

/**
 * The thread as it is now, a line at a time. Fails where the copy in it changes meanwhile: then its last line is
 * missing, and nobody takes it for whole.
 */
export const bundleOf = (store: Store, exported: Exported): Stream.Stream<Uint8Array, StoreFailed> =>
  Stream.suspend(() => {
    let hash = ""
    let lines = 0
    const head = exported.head === undefined ? Stream.empty : copied(store, exported.head)
    const body = Stream.make<[Line]>(headerOf(exported)).pipe(
      Stream.concat(said(store, exported)),
      Stream.concat(head),
      Stream.map(encodeLine),
      Stream.tap((line) =>
        Effect.map(chained(hash, line), (next) => {
          hash = next
          lines++
        })
      )
    )
    const end = Stream.suspend(() =>
      Stream.make(encodeLine({ kind: "end", threadId: exported.thread.id, lines, hash }))
    )
    return Stream.map(Stream.concat(body, end), (line) => encoder.encode(`${line}\n`))
  })
