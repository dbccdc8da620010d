import type { ThreadId } from "@rejoin/contracts/Ids"
import { Effect } from "effect"
import type { Emit } from "../events/ThreadEvents.ts"
import type { OwnSessions } from "../providers/OwnSessions.ts"
import type { ProviderAdapterShape } from "../providers/ProviderAdapter.ts"
import type { ProviderCall } from "../providers/ProviderCall.ts"
import type { ResumeCursor } from "../providers/ResumeCursor.ts"
import type { ThreadStore } from "../store/ThreadStore.ts"
import { pastTurn } from "./PastTurn.ts"

interface Whose {
  readonly threadId: ThreadId
  readonly generation: number
  /** Where the session works. */
  readonly cwd: string
}

/** What was said in a session before it was a thread's, as turns; and the last message by which it can be told. */
export const makeEarlier = (call: ProviderCall["Service"]) =>
  Effect.fnUntraced(function* (
    adapter: ProviderAdapterShape,
    own: OwnSessions<ResumeCursor>,
    cursor: ResumeCursor,
    { cwd, generation, threadId }: Whose
  ) {
    const past = yield* call.within(adapter, "sessions", own.history(cursor))
    const last = past.at(-1)?.messageId ?? null
    const about = { extraEnv: {}, additionalDirectories: [], loads: null, mark: last, wantedCwd: cwd }
    const probe =
      last === null ? undefined : yield* call.within(adapter, "sessions", adapter.probe(cursor, about))
    const isIn = probe?._tag === "Found" && (probe.history === "same" || probe.history === "ahead")
    const turns = yield* Effect.forEach(past, (one) => pastTurn({ threadId, generation }, one))
    return { mark: isIn ? last : null, turns }
  })

export type Earlier = Effect.Success<ReturnType<ReturnType<typeof makeEarlier>>>

/** Writes them. In a transaction. */
export const writeEarlier = (store: ThreadStore["Service"], turns: Earlier["turns"]) =>
  Effect.forEach(
    turns,
    ({ blobs, records, turn }) =>
      Effect.gen(function* () {
        yield* store.saveTurn(turn)
        yield* store.saveItems(records)
        if (blobs.length > 0) yield* store.saveBlobs(turn.id, blobs)
      }),
    { discard: true }
  )

/** Writes them, and tells of each item. In a transaction. */
export const saveEarlier = (store: ThreadStore["Service"], emit: Emit, turns: Earlier["turns"]) =>
  Effect.andThen(
    writeEarlier(store, turns),
    Effect.sync(() => {
      for (const { records, turn } of turns) {
        for (const { item } of records)
          emit({ type: "item.completed", turnId: turn.id, itemId: item.id, data: { item } })
      }
    })
  )
