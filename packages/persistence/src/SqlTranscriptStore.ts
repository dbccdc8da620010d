import { StoreFailed } from "@rejoin/contracts/Errors"
import {
  type Piece,
  type TranscriptFiles,
  TranscriptHead,
  type TranscriptStore
} from "@rejoin/core/store/TranscriptStore"
import { lockOurs } from "@rejoin/core/store/Ownership"
import { filesOf } from "@rejoin/core/transcripts/TranscriptPieces"
import { Effect, Option, Stream } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { promisify } from "node:util"
import { zstdCompress, zstdDecompress } from "node:zlib"
import type { Dialect } from "./Dialect.ts"
import { document, type RecordRow } from "./Rows.ts"

const heads = document(TranscriptHead, "transcript")

const packing = (what: string, work: () => Promise<Buffer>) =>
  Effect.tryPromise({
    try: work,
    catch: (cause) =>
      new StoreFailed({ message: `A piece of a transcript cannot be ${what}: ${String(cause)}` })
  })
const pack = (data: Uint8Array) => packing("packed", () => promisify(zstdCompress)(data))
const unpack = (data: Uint8Array) => packing("unpacked", () => promisify(zstdDecompress)(data))

interface PieceRow {
  readonly ordinal: number
  readonly file: string
  readonly from_byte: number
  readonly packed: Uint8Array
}

interface Within {
  readonly sql: SqlClient.SqlClient
  readonly dialect: Pick<Dialect, "lock">
  readonly failing: <A, E>(
    effect: Effect.Effect<A, E>
  ) => Effect.Effect<A, Exclude<E, SqlError.SqlError> | StoreFailed>
  readonly together: <A, E>(
    body: Effect.Effect<A, E>
  ) => Effect.Effect<A, Exclude<E, SqlError.SqlError> | StoreFailed>
}

/** The pieces are packed one by one, off the main thread, before the transaction begins. */
export const makeTranscriptStore = ({ dialect, failing, sql, together }: Within): TranscriptStore => {
  const get: TranscriptStore["get"] = (threadId) =>
    Effect.flatMap(
      failing(sql<RecordRow>`SELECT record_json FROM transcript WHERE thread_id = ${threadId}`),
      heads.one
    )
  // One at a time: all of them may be more than memory should hold.
  const pieces: TranscriptStore["pieces"] = (threadId) =>
    Stream.paginate(0, (after: number) =>
      Effect.gen(function* () {
        const [row] = yield* failing(
          sql<PieceRow>`SELECT ordinal, file, from_byte, packed FROM transcript_piece
            WHERE thread_id = ${threadId} AND ordinal > ${after} ORDER BY ordinal LIMIT 1`
        )
        if (row === undefined) return [[], Option.none()] as const
        const piece: Piece = { file: row.file, from: row.from_byte, data: yield* unpack(row.packed) }
        return [[piece], Option.some(row.ordinal)] as const
      })
    )
  return {
    get,
    pieces,
    append: Effect.fnUntraced(function* (head, pieces, after) {
      const packed = yield* Effect.forEach(pieces, ({ data, file, from }: Piece) =>
        Effect.map(pack(data), (packed) => ({
          thread_id: head.threadId,
          file,
          from_byte: from,
          packed
        }))
      )
      yield* together(
        Effect.gen(function* () {
          // A machine that has lost the thread copies nothing over what the other one keeps.
          yield* lockOurs(dialect, head.threadId)
          if (after === null) yield* sql`DELETE FROM transcript_piece WHERE thread_id = ${head.threadId}`
          else {
            const before = yield* get(head.threadId)
            if (!Option.exists(before, ({ hash }) => hash === after)) return
          }
          // The thread may have been deleted meanwhile: then there is nothing to keep.
          yield* sql`INSERT INTO transcript (thread_id, record_json)
            SELECT ${head.threadId}, ${heads.encode(head)} WHERE EXISTS (SELECT 1 FROM thread WHERE id = ${head.threadId})
            ON CONFLICT (thread_id) DO UPDATE SET record_json = excluded.record_json`
          const [there] = yield* sql`SELECT 1 FROM transcript WHERE thread_id = ${head.threadId}`
          if (there === undefined) return
          for (const row of packed) yield* sql`INSERT INTO transcript_piece ${sql.insert(row)}`
        })
      )
    }),
    read: Effect.fnUntraced(function* (threadId) {
      const head = Option.getOrUndefined(yield* get(threadId))
      if (head === undefined) return new Map() satisfies TranscriptFiles
      return yield* filesOf(yield* Stream.runCollect(pieces(threadId)), head.hash)
    })
  }
}
