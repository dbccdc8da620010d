import { StoreFailed } from "@rejoin/contracts/Errors"
import { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { Binding, ThreadRecord } from "@rejoin/core/store/Records"
import { createHash } from "node:crypto"
import { Effect, Option, Predicate, Result, Schema } from "effect"

export interface RecordRow {
  readonly record_json: string
}

/** Undefined for what is not JSON. */
export const parse = (text: string): unknown =>
  Result.getOrUndefined(Result.try(() => JSON.parse(text) as unknown))

/** The JSON column of a table: written as it is, and not believed when it is read. */
export const document = <S extends Schema.Codec<unknown, unknown>, Row extends RecordRow = RecordRow>(
  schema: S,
  what: string,
  /** What a row says, where columns of it count too. */
  valueOf: (row: Row) => unknown = ({ record_json }) => parse(record_json)
) => {
  const decode = Schema.decodeUnknownResult(schema)
  return {
    encode: (value: S["Type"]): string => JSON.stringify(value),
    one: (rows: ReadonlyArray<Row>): Effect.Effect<Option.Option<S["Type"]>, StoreFailed> => {
      const [row] = rows
      if (row === undefined) return Effect.succeedNone
      return Effect.fromResult(decode(valueOf(row))).pipe(
        Effect.asSome,
        Effect.mapError(
          (error) => new StoreFailed({ message: `A stored ${what} cannot be read: ${error.message}` })
        )
      )
    },
    /** One row that cannot be read does not hide the others (E12). */
    many: (rows: ReadonlyArray<Row>): Effect.Effect<ReadonlyArray<S["Type"]>> =>
      Effect.gen(function* () {
        const values: Array<S["Type"]> = []
        for (const row of rows) {
          const value = decode(valueOf(row))
          if (Result.isSuccess(value)) values.push(value.success)
          else
            yield* Effect.logWarning(
              `A stored ${what} cannot be read and is passed over.`,
              value.failure.message
            )
        }
        return values
      })
  }
}

/**
 * An agent's own id, as it stands in a column: whatever it is like, an index takes it. One that no column takes would be tried
 * again for ever, and hold up all that comes behind it.
 */
export const columnId = (id: string): string =>
  id.length <= 400 && !id.includes("\0")
    ? id.toWellFormed()
    : `#${createHash("sha256").update(id).digest("hex")}`

export interface ThreadRow extends RecordRow {
  readonly last_seq: number
  readonly created_at: string
}

/** What the columns say of a thread counts: an event only moves `last_seq`. */
export const threads = document(
  ThreadRecord,
  "thread",
  ({ created_at, last_seq, record_json }: ThreadRow): unknown => {
    const record = parse(record_json)
    return Predicate.isObject(record) ? { ...record, lastSeq: last_seq, createdAt: created_at } : record
  }
)

export interface BindingRow {
  readonly thread_id: string
  readonly instance_id: string
  readonly driver: string
  readonly store_id: string | null
  readonly provider_session_id: string | null
  readonly resume_cursor_json: string
  readonly cwd: string | null
  readonly runtime_mode: string | null
  readonly model: string | null
  readonly status: string
  readonly generation: number
  readonly prior: string
  readonly mark: string | null
  readonly reset_requested: number
  readonly terminal_json: string | null
  readonly moved_json: string | null
  readonly last_seen_at: string | null
  readonly created_at: string
  readonly updated_at: string
}

export const toBindingRow = (binding: Binding) => ({
  thread_id: binding.threadId,
  instance_id: binding.instanceId,
  driver: binding.driver,
  store_id: binding.storeId,
  provider_session_id: binding.providerSessionId,
  resume_cursor_json: JSON.stringify(binding.cursor ?? null),
  cwd: binding.cwd,
  runtime_mode: binding.mode,
  model: binding.model,
  status: binding.status,
  generation: binding.generation,
  prior: binding.prior,
  mark: binding.mark,
  reset_requested: binding.resetRequested ? 1 : 0,
  terminal_json: binding.terminal === null ? null : JSON.stringify(binding.terminal),
  moved_json: binding.moved === null ? null : JSON.stringify(binding.moved),
  last_seen_at: binding.lastSeenAt,
  updated_at: binding.updatedAt
})

const decodeBinding = Schema.decodeUnknownEffect(Binding)

export const fromBindingRow = (row: BindingRow): Effect.Effect<Binding, StoreFailed> =>
  decodeBinding({
    threadId: row.thread_id,
    instanceId: row.instance_id,
    driver: row.driver,
    storeId: row.store_id,
    providerSessionId: row.provider_session_id,
    // What is not even JSON is no cursor: its adapter decides that of everything (C6, E12).
    cursor: parse(row.resume_cursor_json) ?? null,
    cwd: row.cwd,
    mode: row.runtime_mode,
    model: row.model,
    status: row.status,
    generation: row.generation,
    prior: row.prior,
    mark: row.mark,
    resetRequested: row.reset_requested === 1,
    terminal: row.terminal_json === null ? null : parse(row.terminal_json),
    moved: row.moved_json === null ? null : parse(row.moved_json),
    lastSeenAt: row.last_seen_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at
  }).pipe(
    Effect.mapError(
      (error) => new StoreFailed({ message: `A stored binding cannot be read: ${error.message}` })
    )
  )

export interface EventRow {
  readonly position: number
  readonly thread_id: string
  readonly seq: number
  readonly type: string
  readonly turn_id: string | null
  readonly item_id: string | null
  readonly generation: number
  readonly at: string
  readonly data_json: string
}

const isEvent = Schema.is(RuntimeEvent)

/** Events are ours alone and many: their shape is checked, not decoded anew. */
export const fromEventRow = (row: EventRow): ReadonlyArray<RuntimeEvent> => {
  const event: unknown = {
    position: row.position,
    seq: row.seq,
    type: row.type,
    threadId: row.thread_id,
    generation: row.generation,
    at: row.at,
    data: parse(row.data_json),
    ...(row.turn_id !== null && { turnId: row.turn_id }),
    ...(row.item_id !== null && { itemId: row.item_id })
  }
  return isEvent(event) ? [event] : []
}
