import { StoreFailed } from "@rejoin/contracts/Errors"
import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { Item } from "@rejoin/contracts/Item"
import { Receipt } from "@rejoin/contracts/Receipt"
import { PendingRequest } from "@rejoin/contracts/Request"
import { TrustedDirectory } from "@rejoin/contracts/Trust"
import type { Timestamp } from "@rejoin/contracts/Time"
import { isOpen } from "@rejoin/contracts/Turn"
import { sessionTaken, staleGeneration } from "@rejoin/core/store/MemoryThreadStore"
import {
  type Binding,
  LineageEntry,
  StartIntent,
  type ThreadRecord,
  TurnRecord
} from "@rejoin/core/store/Records"
import { type EventDraft, ThreadStore } from "@rejoin/core/store/ThreadStore"
import { Array, Effect, Layer, Option } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { wasCommitted } from "./Committed.ts"
import { DatabaseFile } from "./DatabaseFile.ts"
import { dialectOf } from "./Dialect.ts"
import { makeRuleStore } from "./SqlRuleStore.ts"
import { Heard } from "./Heard.ts"
import { Machine } from "./Machine.ts"
import { makeOwnership } from "./SqlOwnership.ts"
import { indexing, makeSearchStore } from "./SqlSearchStore.ts"
import { makeTranscriptStore } from "./SqlTranscriptStore.ts"
import {
  type BindingRow,
  columnId,
  document,
  type EventRow,
  fromBindingRow,
  fromEventRow,
  type RecordRow,
  type ThreadRow,
  threads,
  toBindingRow
} from "./Rows.ts"
import { storeFailed } from "./StoreFailure.ts"

const lineage = document(LineageEntry, "lineage entry")
const intents = document(StartIntent, "start intent")
const turns = document(TurnRecord, "turn")
const items = document(Item, "item")
const requests = document(PendingRequest, "request")
const receipts = document(Receipt, "receipt")
const trusted = document(TrustedDirectory, "trusted directory")

// SQLite takes 32,766 parameters a statement; an event has eight.
const rowsPerInsert = 1000

/** That a thread is gone is told for so many of them: who was away for longer reads of a gap, and what is there now. */
const tombstonesAtMost = 10_000

const make = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const file = yield* DatabaseFile
  const machine = yield* Machine
  const dialect = dialectOf(sql, machine)

  const failing = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.mapError(dialect.bounded(effect), (error): Exclude<E, SqlError.SqlError> | StoreFailed =>
      // The compiler does not follow a guard into a type parameter.
      isSqlError(error) ? storeFailed(error) : (error as Exclude<E, SqlError.SqlError>)
    )
  const rows = (effect: Effect.Effect<ReadonlyArray<RecordRow>, SqlError.SqlError>) => failing(effect)
  const threadRows = (effect: Effect.Effect<ReadonlyArray<ThreadRow>, SqlError.SqlError>) => failing(effect)
  // A full disk makes SQLite roll back by itself. The driver's own roll-back then finds nothing to undo, and dies of
  // it: what failed is the write.
  const within = <A, E, R>(body: Effect.Effect<A, E, R>) =>
    failing(sql.withTransaction(body)).pipe(
      Effect.catchDefect((defect) => {
        if (defect instanceof StoreFailed) return Effect.fail(defect)
        return isSqlError(defect) ? Effect.fail(storeFailed(defect)) : Effect.die(defect)
      })
    )

  const transaction = <A, E, R>(body: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const outer = yield* Effect.serviceOption(sql.transactionService)
      if (Option.isSome(outer)) return yield* within(Effect.tap(body, () => file.check))
      let done: { readonly value: A; readonly name: string } | undefined
      const whole = Effect.flatMap(body, (value) =>
        Effect.map(file.check, (name) => {
          done = name === undefined ? undefined : { value, name }
          return value
        })
      )
      return yield* within(whole).pipe(
        Effect.catchIf(isAway, (error) =>
          Effect.gen(function* () {
            // All was written, and the answer to its COMMIT was lost: written again it would be there twice.
            if (done !== undefined && (yield* wasCommitted(sql, done.name))) return done.value
            return yield* Effect.fail(error)
          })
        )
      )
    })

  /** What takes several statements goes with the transaction that it stands in, where there is one. */
  const together = <A, E, R>(body: Effect.Effect<A, E, R>) =>
    Effect.flatMap(Effect.serviceOption(sql.transactionService), (outer) =>
      Option.isSome(outer) ? failing(body) : transaction(body)
    )

  /** A write by itself is a transaction too: all of them are refused where the database is not ours any more. */
  const run = (effect: Effect.Effect<unknown, SqlError.SqlError>) => Effect.asVoid(together(effect))

  const threadRow = (thread: ThreadRecord) => ({
    provider: thread.provider,
    project: thread.project,
    key_agent: thread.key?.agent ?? null,
    key_external: thread.key?.external ?? null,
    record_json: threads.encode(thread)
  })

  const threadColumns = sql.literal("record_json, last_seq, created_at")

  const upsertBinding = (binding: Binding) => {
    const row = toBindingRow(binding)
    return sql`INSERT INTO provider_session_runtime ${sql.insert({ ...row, created_at: binding.createdAt })}
      ON CONFLICT (thread_id) DO UPDATE SET ${sql.update(row, ["thread_id"])}`
  }

  const saveBinding = Effect.fnUntraced(function* (binding: Binding) {
    const row = toBindingRow(binding)
    const saved = yield* sql`UPDATE provider_session_runtime SET ${sql.update(row, ["thread_id"])}
      WHERE thread_id = ${binding.threadId} AND generation = ${binding.generation} RETURNING generation`.pipe(
      Effect.catchIf(
        (error) => error.reason._tag === "UniqueViolation",
        () => Effect.fail(sessionTaken(binding))
      )
    )
    if (saved.length === 0) return yield* staleGeneration(binding)
  })

  const append = Effect.fnUntraced(function* (drafts: ReadonlyArray<EventDraft>) {
    const numbered = Map.groupBy(
      drafts.filter(({ type }) => type !== "thread.deleted"),
      ({ threadId }) => threadId
    )
    const last = new Map<ThreadId, number>()
    // In one order, whoever writes: two never wait for each other.
    for (const [id, { length }] of [...numbered].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      const [row] = yield* sql<{ last_seq: number }>`
        UPDATE thread SET last_seq = last_seq + ${length}, purged = 0 WHERE id = ${id} RETURNING last_seq`
      if (row !== undefined) last.set(id, row.last_seq - length)
    }
    // The thread of an event may have been deleted meanwhile: then that is all there is to tell.
    const told = drafts.flatMap((draft) => {
      if (draft.type === "thread.deleted") return [{ ...draft, seq: draft.seq ?? 0 }]
      const before = last.get(draft.threadId)
      if (before === undefined) return []
      last.set(draft.threadId, before + 1)
      return [{ ...draft, seq: before + 1 }]
    })
    if (told.length === 0) return []
    // Last of all: whoever has it holds up all the others.
    const before = (yield* dialect.takePositions(told.length)) - told.length
    const events = told.map((event, at) => ({ ...event, position: before + at + 1 }))
    const deleted = events.filter(({ type }) => type === "thread.deleted")
    for (const { at, position, seq, threadId } of deleted) {
      yield* sql`INSERT INTO deleted_thread ${sql.insert({ position, thread_id: threadId, seq, at })}`
    }
    if (deleted.length > 0) {
      yield* sql`DELETE FROM deleted_thread WHERE position <=
        (SELECT position FROM deleted_thread ORDER BY position DESC LIMIT 1 OFFSET ${tombstonesAtMost})`
    }
    const living = events.filter(({ type }) => type !== "thread.deleted")
    for (let start = 0; start < living.length; start += rowsPerInsert) {
      const values = living.slice(start, start + rowsPerInsert).map((event) => ({
        position: event.position,
        thread_id: event.threadId,
        seq: event.seq,
        type: event.type,
        turn_id: event.turnId ?? null,
        item_id: event.itemId === undefined ? null : columnId(event.itemId),
        generation: event.generation,
        at: event.at,
        data_json: JSON.stringify(event.data ?? null)
      }))
      if (Array.isArrayNonEmpty(values)) yield* sql`INSERT INTO event ${sql.insert(values)}`
    }
    return events
  })

  const index = indexing(sql)

  const saveTurn = Effect.fnUntraced(function* (turn: TurnRecord) {
    const row = {
      thread_id: turn.threadId,
      open: isOpen(turn.status) ? 1 : 0,
      message_id: turn.messageId,
      due: turn.status === "deferred" ? (turn.notBefore ?? turn.acceptedAt) : null,
      record_json: turns.encode(turn)
    }
    yield* sql`INSERT INTO turn ${sql.insert({ id: turn.id, ...row })}
      ON CONFLICT (id) DO UPDATE SET ${sql.update(row)}`
    yield* sql`DELETE FROM turn_key WHERE turn_id = ${turn.id}`
    for (const key of [turn.idempotencyKey, ...turn.steers.map(({ idempotencyKey }) => idempotencyKey)]) {
      if (key === null) continue
      yield* sql`INSERT INTO turn_key ${sql.insert({ thread_id: turn.threadId, idempotency_key: key, turn_id: turn.id })}
        ON CONFLICT DO NOTHING`
    }
  })

  return ThreadStore.of({
    transaction,
    lock: (ids) => failing(dialect.lock(ids)),
    durable: file.durable,
    insertThread: (thread, binding) =>
      together(
        Effect.gen(function* () {
          const row = {
            id: thread.id,
            ...threadRow(thread),
            last_seq: thread.lastSeq,
            created_at: thread.createdAt,
            ...(machine && { owner: machine.id })
          }
          yield* sql`INSERT INTO thread ${sql.insert(row)}`
          yield* upsertBinding(binding)
        })
      ),
    getThread: (id) =>
      Effect.flatMap(
        threadRows(sql<ThreadRow>`SELECT ${threadColumns} FROM thread WHERE id = ${id}`),
        threads.one
      ),
    findThread: ({ agent, external }) =>
      Effect.flatMap(
        threadRows(
          sql<ThreadRow>`SELECT ${threadColumns} FROM thread WHERE key_agent = ${agent} AND key_external = ${external}`
        ),
        threads.one
      ),
    listThreads: ({ after, kept, limit, project }) => {
      // Each condition only where it is asked for: one that may hold or not keeps SQLite from its index.
      const conditions = [
        ...(project === undefined ? [] : [sql`project = ${project}`]),
        ...(kept === undefined ? [] : [sql`purged = 0`]),
        // One that was deleted since is still a place in the list: ids are in the order of time.
        ...(after === undefined
          ? []
          : [
              sql`ordinal < COALESCE(
                (SELECT ordinal FROM thread WHERE id = ${after}),
                (SELECT MAX(ordinal) + 1 FROM thread WHERE id < ${after}))`
            ])
      ]
      const which = conditions.length === 0 ? sql`` : sql`WHERE ${sql.and(conditions)}`
      return Effect.flatMap(
        threadRows(
          sql<ThreadRow>`SELECT ${threadColumns} FROM thread ${which} ORDER BY ordinal DESC LIMIT ${limit}`
        ),
        threads.many
      )
    },
    saveThread: (thread) =>
      run(sql`UPDATE thread SET ${sql.update(threadRow(thread))} WHERE id = ${thread.id}`),
    purgeThread: (id) =>
      transaction(
        Effect.andThen(
          Effect.andThen(
            run(sql`DELETE FROM event WHERE thread_id = ${id}`),
            run(sql`UPDATE thread SET purged = 1 WHERE id = ${id}`)
          ),
          Effect.andThen(
            run(sql`DELETE FROM transcript WHERE thread_id = ${id}`),
            run(sql`DELETE FROM turn_blob WHERE turn_id IN (SELECT id FROM turn WHERE thread_id = ${id})`)
          )
        )
      ),
    deleteThread: (id) => run(sql`DELETE FROM thread WHERE id = ${id}`),

    findSession: ({ driver, providerSessionId, storeId }) =>
      failing(sql<{ thread_id: ThreadId }>`SELECT thread_id FROM provider_session_runtime
        WHERE driver = ${driver} AND store_id = ${storeId} AND provider_session_id = ${providerSessionId}`).pipe(
        Effect.map(([row]) => Option.fromUndefinedOr(row?.thread_id))
      ),
    getBinding: (id) =>
      failing(sql<BindingRow>`SELECT * FROM provider_session_runtime WHERE thread_id = ${id}`).pipe(
        Effect.flatMap(([row]) =>
          row === undefined ? Effect.succeedNone : Effect.asSome(fromBindingRow(row))
        )
      ),
    listTerminals: failing(
      sql<BindingRow>`SELECT * FROM provider_session_runtime WHERE terminal_json IS NOT NULL`
    ).pipe(Effect.flatMap((rows) => Effect.forEach(rows, fromBindingRow))),
    stopBindings: run(
      sql`UPDATE provider_session_runtime SET status = 'stopped'
        WHERE status NOT IN ('none', 'stopped') AND ${dialect.isOurs("thread_id")}`
    ),
    nextGeneration: (id) =>
      together(sql<{ generation: number }>`UPDATE provider_session_runtime
        SET generation = generation + 1 WHERE thread_id = ${id} RETURNING generation`).pipe(
        Effect.map(([row]) => row?.generation ?? 0)
      ),
    saveBinding: (binding) => together(saveBinding(binding)),

    addLineage: (entry) =>
      run(
        sql`INSERT INTO binding_lineage ${sql.insert({ thread_id: entry.threadId, record_json: lineage.encode(entry) })}`
      ),
    listLineage: (id) =>
      Effect.flatMap(
        rows(sql`SELECT record_json FROM binding_lineage WHERE thread_id = ${id} ORDER BY ordinal`),
        lineage.many
      ),

    saveIntent: (intent) => {
      const row = {
        thread_id: intent.threadId,
        generation: intent.generation,
        record_json: intents.encode(intent)
      }
      return run(sql`INSERT INTO start_intent ${sql.insert(row)}
        ON CONFLICT (thread_id, generation) DO UPDATE SET record_json = excluded.record_json`)
    },
    deleteIntent: ({ generation, threadId }) =>
      run(sql`DELETE FROM start_intent WHERE thread_id = ${threadId} AND generation = ${generation}`),
    listIntents: (of) =>
      Effect.flatMap(
        rows(
          of === "ours"
            ? sql`SELECT record_json FROM start_intent WHERE ${dialect.isOurs("thread_id")}
                ORDER BY generation, thread_id`
            : sql`SELECT record_json FROM start_intent WHERE thread_id = ${of} ORDER BY generation`
        ),
        intents.many
      ),

    saveTurn: (turn) => together(saveTurn(turn)),
    openTurnsLast: (threadId, order = []) =>
      together(
        Effect.gen(function* () {
          const open = yield* sql<{ id: TurnId; ordinal: number }>`
            SELECT id, ordinal FROM turn WHERE thread_id = ${threadId} AND open = 1 ORDER BY ordinal`
          for (const { ordinal } of open.toSorted((a, b) => order.indexOf(a.id) - order.indexOf(b.id))) {
            yield* sql`UPDATE turn SET ordinal = ${dialect.lastOrdinal} WHERE ordinal = ${ordinal}`
          }
        })
      ),
    getTurn: (id) => Effect.flatMap(rows(sql`SELECT record_json FROM turn WHERE id = ${id}`), turns.one),
    findTurn: (threadId, key) =>
      Effect.flatMap(
        rows(sql`SELECT record_json FROM turn JOIN turn_key ON turn_key.turn_id = turn.id
          WHERE turn_key.thread_id = ${threadId} AND idempotency_key = ${key}`),
        turns.one
      ),
    findMessage: (threadId, messageId) =>
      Effect.flatMap(
        rows(sql`SELECT record_json FROM turn
          WHERE thread_id = ${threadId} AND message_id = ${messageId}
          ORDER BY ordinal DESC LIMIT 1`),
        turns.one
      ),
    listTurns: (threadId, { after, limit }) =>
      Effect.flatMap(
        rows(sql`SELECT record_json FROM turn WHERE thread_id = ${threadId}
          AND ordinal > coalesce((SELECT ordinal FROM turn WHERE id = ${after ?? null}), 0)
          ORDER BY ordinal LIMIT ${limit}`),
        turns.many
      ),
    openTurns: (of) => {
      const which =
        of === "all"
          ? sql.literal("1 = 1")
          : of === "ours"
            ? dialect.isOurs("thread_id")
            : sql`thread_id = ${of}`
      return Effect.flatMap(
        rows(sql`SELECT record_json FROM turn WHERE open = 1 AND ${which} ORDER BY ordinal`),
        turns.many
      )
    },

    deferredTurns: (of) =>
      Effect.flatMap(
        rows(
          of === "all" || "until" in of
            ? sql`SELECT record_json FROM turn WHERE due <= ${of === "all" ? "9999" : of.until} ORDER BY due, ordinal`
            : sql`SELECT record_json FROM turn WHERE thread_id = ${of.threadId} AND due IS NOT NULL ORDER BY due, ordinal`
        ),
        turns.many
      ),
    nextDue: Effect.map(
      failing(sql<{ due: Timestamp | null }>`SELECT min(due) AS due FROM turn WHERE due IS NOT NULL`),
      ([row]) => Option.fromNullishOr(row?.due)
    ),

    saveBlobs: (turnId, blobs) =>
      together(
        Effect.forEach(
          blobs,
          ({ data, hash }) =>
            Effect.andThen(
              sql`INSERT INTO blob ${sql.insert({ hash, data })} ${dialect.keepThere}`,
              sql`INSERT INTO turn_blob ${sql.insert({ turn_id: turnId, hash })} ON CONFLICT DO NOTHING`
            ),
          { discard: true }
        )
      ),
    getBlob: (hash) =>
      failing(sql<{ data: string }>`SELECT data FROM blob WHERE hash = ${hash}`).pipe(
        Effect.map(([row]) => Option.fromUndefinedOr(row?.data))
      ),

    appendEvents: (drafts) => (drafts.length === 0 ? Effect.succeed([]) : together(append(drafts))),
    readEvents: (from, limit) =>
      failing(
        "afterPosition" in from
          ? sql<EventRow>`SELECT * FROM (
              SELECT position, thread_id, seq, type, turn_id, item_id, generation, at, data_json FROM event
                WHERE position > ${from.afterPosition}
              UNION ALL SELECT position, thread_id, seq, 'thread.deleted', NULL, NULL, 0, at, '{}' FROM deleted_thread
                WHERE position > ${from.afterPosition}
            ) AS told ORDER BY position LIMIT ${limit}`
          : sql<EventRow>`SELECT * FROM event WHERE thread_id = ${from.threadId} AND seq > ${from.afterSeq}
              ORDER BY seq LIMIT ${limit}`
      ).pipe(Effect.map((rows) => rows.flatMap(fromEventRow))),
    lastPosition: failing(dialect.lastPosition),
    heard: yield* Heard,

    saveItems: (records) =>
      together(
        Effect.forEach(
          records,
          ({ item, threadId }) =>
            Effect.andThen(
              // The thread may have been deleted meanwhile: then there is nothing to keep.
              sql`INSERT INTO item (thread_id, id, record_json)
                SELECT ${threadId}, ${columnId(item.id)}, ${items.encode(item)} WHERE EXISTS (SELECT 1 FROM thread WHERE id = ${threadId})
                ON CONFLICT (thread_id, id) DO UPDATE SET record_json = excluded.record_json`,
              index(threadId, item)
            ),
          { discard: true }
        )
      ),
    listItems: (threadId, page) => {
      const { limit } = page
      if ("after" in page) {
        return Effect.flatMap(
          rows(sql`SELECT record_json FROM item WHERE thread_id = ${threadId}
            AND ordinal > coalesce((SELECT ordinal FROM item WHERE thread_id = ${threadId} AND id = ${page.after === null ? null : columnId(page.after)}), 0)
            ORDER BY ordinal LIMIT ${limit}`),
          items.many
        )
      }
      const { before } = page
      const earlier =
        before === undefined
          ? sql``
          : sql`AND ordinal < (SELECT ordinal FROM item WHERE thread_id = ${threadId} AND id = ${columnId(before)})`
      return Effect.flatMap(
        rows(sql`SELECT record_json FROM (
          SELECT ordinal, record_json FROM item WHERE thread_id = ${threadId} ${earlier}
          ORDER BY ordinal DESC LIMIT ${limit}
        ) AS page ORDER BY ordinal`),
        items.many
      )
    },

    saveRequest: (request) => {
      const row = {
        thread_id: request.threadId,
        id: columnId(request.id),
        record_json: requests.encode(request)
      }
      return run(sql`INSERT INTO request ${sql.insert(row)}
        ON CONFLICT (thread_id, id) DO UPDATE SET record_json = excluded.record_json`)
    },
    deleteRequest: (threadId, id) =>
      run(sql`DELETE FROM request WHERE thread_id = ${threadId} AND id = ${columnId(id)}`),
    listRequests: (threadId) =>
      Effect.flatMap(
        rows(sql`SELECT record_json FROM request WHERE thread_id = ${threadId} ORDER BY ordinal`),
        requests.many
      ),

    threadsAsking: failing(
      sql<{ thread_id: ThreadId }>`SELECT DISTINCT thread_id FROM request WHERE ${dialect.isOurs("thread_id")}
        ORDER BY thread_id`
    ).pipe(Effect.map((found) => found.map(({ thread_id }) => thread_id))),

    saveReceipt: (receipt) => {
      const row = { id: receipt.id, thread_id: receipt.threadId, record_json: receipts.encode(receipt) }
      return run(sql`INSERT INTO receipt ${sql.insert(row)}
        ON CONFLICT (id) DO UPDATE SET record_json = excluded.record_json`)
    },
    getReceipt: (id) =>
      Effect.flatMap(rows(sql`SELECT record_json FROM receipt WHERE id = ${id}`), receipts.one),
    listReceipts: (threadId, { after, first, limit }) => {
      const [beyond, order] = first === "oldest" ? [sql`>`, sql`ASC`] : [sql`<`, sql`DESC`]
      const rest =
        after === undefined
          ? sql``
          : sql`AND ordinal ${beyond} (SELECT ordinal FROM receipt WHERE id = ${after})`
      return Effect.flatMap(
        rows(sql`SELECT record_json FROM receipt WHERE thread_id = ${threadId} ${rest}
          ORDER BY ordinal ${order} LIMIT ${limit}`),
        receipts.many
      )
    },

    ownership: makeOwnership({ sql, machine, failing, together, transaction }),
    transcripts: makeTranscriptStore({ sql, dialect, failing, together }),
    search: makeSearchStore({ sql, failing, together }),
    rules: makeRuleStore({ sql, failing, together }),

    saveTrusted: (directory) => {
      const row = { path: directory.path, record_json: trusted.encode(directory) }
      return together(
        Effect.andThen(
          sql`DELETE FROM trusted_directory WHERE path = ${row.path}`,
          Effect.asVoid(sql`INSERT INTO trusted_directory ${sql.insert(row)}`)
        )
      )
    },
    // What cannot be read is not trusted.
    getTrusted: (path) =>
      Effect.flatMap(
        rows(sql`SELECT record_json FROM trusted_directory WHERE path = ${path}`),
        trusted.many
      ).pipe(Effect.map(([directory]) => Option.fromUndefinedOr(directory))),
    listTrusted: Effect.flatMap(
      rows(sql`SELECT record_json FROM trusted_directory ORDER BY path`),
      trusted.many
    ),
    deleteTrusted: (path) => run(sql`DELETE FROM trusted_directory WHERE path = ${path}`)
  })
})

const isAway = (error: unknown): boolean => error instanceof StoreFailed && error.away === true

const isSqlError = (error: unknown): error is SqlError.SqlError =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "SqlError"

/** The ThreadStore on SQL. Expects a migrated database (Database.layer). */
export const layer: Layer.Layer<ThreadStore, never, SqlClient.SqlClient> = Layer.effect(ThreadStore, make)
