import { ChannelPeer } from "@rejoin/contracts/Channel"
import { StoreFailed } from "@rejoin/contracts/Errors"
import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { Effect, Option, Predicate, Result, Schema } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import { Ask, type Arrived, type ChannelStore, Part } from "./ChannelStore.ts"
import { type ChatKey, Inbound, Said } from "./Inbound.ts"

const isSqlError = (error: unknown): error is SqlError.SqlError => Predicate.isTagged(error, "SqlError")

const parsed = <S extends Schema.Codec<unknown, unknown>>(schema: S) => {
  const decode = Schema.decodeUnknownOption(Schema.fromJsonString(schema))
  /** A row that cannot be read does not hide the others (E12). */
  return (rows: ReadonlyArray<{ readonly record_json: string }>): ReadonlyArray<S["Type"]> =>
    rows.flatMap(({ record_json }) => Option.toArray(decode(record_json)))
}
const inbounds = parsed(Inbound)
const saids = parsed(Said)
const partsIn = parsed(Part)
const asksIn = parsed(Ask)
const peersIn = Schema.decodeUnknownOption(Schema.Array(ChannelPeer))

interface Row {
  readonly record_json: string
}

/** One that cannot be read stays as it is: it is passed over when it is its turn. */
const changed = (
  record_json: string,
  change: (record: Record<string, unknown>) => Record<string, unknown>
): string => {
  const record = Result.getOrUndefined(Result.try(() => JSON.parse(record_json) as unknown))
  return Predicate.isObject(record) ? JSON.stringify(change(record)) : record_json
}

/**
 * The channels' memory in the server's database. `durable` brings what was committed onto the disk: what a platform is
 * told to forget must outlive a loss of power.
 */
export const makeSqlChannelStore = ({
  check = Effect.void,
  durable,
  failed = (error) => new StoreFailed({ message: `The database refused: ${error.message}` }),
  sql
}: {
  readonly sql: SqlClient.SqlClient
  readonly durable: Effect.Effect<void, StoreFailed>
  /** Has to pass in every transaction: whether the database is still ours. */
  readonly check?: Effect.Effect<unknown, StoreFailed>
  readonly failed?: (error: SqlError.SqlError) => StoreFailed
}): ChannelStore => {
  const failing = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.mapError(effect, (error): Exclude<E, SqlError.SqlError> | StoreFailed =>
      isSqlError(error) ? failed(error) : (error as Exclude<E, SqlError.SqlError>)
    )
  const run = (statement: Effect.Effect<unknown, SqlError.SqlError>) => Effect.asVoid(failing(statement))
  const rows = (statement: Effect.Effect<ReadonlyArray<Row>, SqlError.SqlError>) => failing(statement)

  const partRow = ({ chat, ...part }: Part) => ({
    chat,
    due:
      part.state === "planned" || part.state === "sending" || (part.state === "sent" && part.text !== null)
        ? 1
        : 0,
    open: part.state === "final" ? 0 : 1,
    remote: part.remote,
    record_json: JSON.stringify({ chat, ...part })
  })
  const askRow = (ask: Ask) => ({
    open: ask.open ? 1 : 0,
    answered_by: ask.by ?? null,
    record_json: JSON.stringify(ask)
  })
  // Parts of one answer stand together, whatever came between.
  const insertPart = (channel: string, part: Part) =>
    sql`
    INSERT INTO channel_outbox ${sql.insert({ channel, item: part.item, part: part.part, ord: 0, ...partRow(part) })}
    ON CONFLICT DO NOTHING RETURNING seq`.pipe(
      Effect.flatMap((inserted) =>
        inserted.length === 0
          ? Effect.succeed(false)
          : sql`UPDATE channel_outbox
            SET ord = (SELECT min(seq) FROM channel_outbox WHERE channel = ${channel} AND item = ${part.item})
            WHERE channel = ${channel} AND item = ${part.item} AND part = ${part.part}`.pipe(Effect.as(true))
      )
    )

  return {
    transaction: (body) =>
      failing(sql.withTransaction(Effect.tap(body, () => check))).pipe(
        // A full disk makes SQLite roll back by itself, and the driver's own roll-back dies of it.
        Effect.catchDefect((defect) =>
          isSqlError(defect) ? Effect.fail(failed(defect)) : Effect.die(defect)
        ),
        Effect.tap(() => durable)
      ),

    cursor: (channel, account) =>
      Effect.map(
        failing(
          sql<{
            cursor: string
          }>`SELECT cursor FROM channel_cursor WHERE channel = ${channel} AND account = ${account}`
        ),
        ([row]) => row?.cursor ?? null
      ),
    saveCursor: (channel, account, cursor) =>
      run(sql`INSERT INTO channel_cursor ${sql.insert({ channel, account, cursor })}
        ON CONFLICT (channel) DO UPDATE SET ${sql.update({ account, cursor })}`),

    arrive: (channel, inbound, at) =>
      Effect.gen(function* () {
        if (inbound._tag === "Renamed" || inbound._tag === "Undelivered") return false
        // It may be changed back, and again: each change is one of its own.
        const [last] = yield* sql<{ seq: number }>`SELECT coalesce(max(seq), 0) AS seq FROM channel_inbox`
        const message = inbound._tag === "Edited" ? `${inbound.message}~${last?.seq ?? 0}` : inbound.message
        yield* sql`INSERT INTO channel_chat ${sql.insert({ channel, chat: inbound.chat, thread_id: null })} ON CONFLICT DO NOTHING`
        const inserted = yield* sql`INSERT INTO channel_inbox ${sql.insert({
          channel,
          chat: inbound.chat,
          message,
          open: 1,
          turn_id: null,
          at,
          record_json: JSON.stringify(inbound)
        })} ON CONFLICT DO NOTHING RETURNING seq`
        return inserted.length > 0
      }).pipe(failing),
    find: (channel, chat, message) =>
      Effect.map(
        failing(
          sql<Row & { seq: number; at: number; open: number; turn_id: string | null }>`
            SELECT seq, at, open, turn_id, record_json FROM channel_inbox
            WHERE channel = ${channel} AND chat = ${chat} AND message = ${message}`
        ),
        (found) =>
          Option.fromUndefinedOr(found[0]).pipe(
            Option.flatMap((row) =>
              Option.map(Option.fromUndefinedOr(saids([row])[0]), (inbound) => ({
                arrived: { seq: row.seq, at: row.at, inbound },
                turnId: row.turn_id as TurnId | null,
                open: row.open === 1
              }))
            )
          )
      ),
    reword: (seq, inbound) =>
      run(sql`UPDATE channel_inbox SET record_json = ${JSON.stringify(inbound)} WHERE seq = ${seq}`),
    arrivals: Effect.fnUntraced(function* (channel, chat, atMost) {
      const found = yield* failing(
        sql<Row & { seq: number; at: number }>`SELECT seq, at, record_json FROM channel_inbox
          WHERE channel = ${channel} AND chat = ${chat} AND open = 1 ORDER BY seq LIMIT ${atMost}`
      )
      const arrived: Array<Arrived> = []
      for (const row of found) {
        const [inbound] = inbounds([row])
        if (inbound !== undefined) arrived.push({ seq: row.seq, at: row.at, inbound })
        else {
          yield* Effect.logWarning(`A stored message of ${channel} cannot be read and is passed over.`, {
            seq: row.seq
          })
          yield* run(sql`UPDATE channel_inbox SET open = 0 WHERE seq = ${row.seq}`)
        }
      }
      return arrived
    }),
    done: (seq, turnId) =>
      run(sql`UPDATE channel_inbox SET open = 0, turn_id = ${turnId} WHERE seq = ${seq}`),

    addPart: (channel, part) => failing(Effect.asVoid(insertPart(channel, part))),
    changePart: (channel, { item, part }, change) =>
      Effect.gen(function* () {
        const of = sql`WHERE channel = ${channel} AND item = ${item} AND part = ${part}`
        const [before] = partsIn(yield* sql<Row>`SELECT record_json FROM channel_outbox ${of}`)
        if (before !== undefined)
          yield* sql`UPDATE channel_outbox SET ${sql.update(partRow(change(before)))} ${of}`
      }).pipe(sql.withTransaction, failing),
    parts: (channel, item) =>
      Effect.map(
        rows(
          sql<Row>`SELECT record_json FROM channel_outbox WHERE channel = ${channel} AND item = ${item} ORDER BY part`
        ),
        partsIn
      ),
    partOf: (channel, remote) =>
      Effect.map(
        rows(
          sql<Row>`SELECT record_json FROM channel_outbox WHERE channel = ${channel} AND remote = ${remote}`
        ),
        (found) => Option.fromUndefinedOr(partsIn(found)[0])
      ),
    due: Effect.fnUntraced(function* (channel, chat) {
      for (;;) {
        const [row] = yield* failing(
          sql<Row & { seq: number }>`SELECT seq, record_json FROM channel_outbox
            WHERE channel = ${channel} AND chat = ${chat} AND due = 1 ORDER BY ord, part LIMIT 1`
        )
        if (row === undefined) return Option.none()
        const [part] = partsIn([row])
        if (part !== undefined) return Option.some(part)
        yield* Effect.logWarning(`A stored answer of ${channel} cannot be read and is passed over.`, {
          seq: row.seq
        })
        yield* run(sql`UPDATE channel_outbox SET due = 0, open = 0 WHERE seq = ${row.seq}`)
      }
    }),
    unanswered: (channel) =>
      Effect.map(
        rows(
          sql<Row>`SELECT record_json FROM channel_outbox WHERE channel = ${channel} AND open = 1 ORDER BY ord, part`
        ),
        (found) => partsIn(found).filter(({ kind, text }) => kind === "answer" && text === null)
      ),

    addAsk: (channel, ask) =>
      run(sql`INSERT INTO channel_ask ${sql.insert({ channel, id: ask.id, request_id: ask.requestId, ...askRow(ask) })}
        ON CONFLICT DO NOTHING`),
    changeAsk: (channel, id, change) =>
      Effect.gen(function* () {
        const of = sql`WHERE channel = ${channel} AND id = ${id}`
        const [before] = asksIn(yield* sql<Row>`SELECT record_json FROM channel_ask ${of}`)
        if (before !== undefined)
          yield* sql`UPDATE channel_ask SET ${sql.update(askRow(change(before)))} ${of}`
      }).pipe(sql.withTransaction, failing),
    ask: (channel, id) =>
      Effect.map(
        rows(sql<Row>`SELECT record_json FROM channel_ask WHERE channel = ${channel} AND id = ${id}`),
        (found) => Option.fromUndefinedOr(asksIn(found)[0])
      ),
    askOf: (channel, requestId) =>
      Effect.map(
        rows(
          sql<Row>`SELECT record_json FROM channel_ask WHERE channel = ${channel} AND request_id = ${requestId}`
        ),
        (found) => Option.fromUndefinedOr(asksIn(found)[0])
      ),
    askBy: (channel, chat, message) =>
      Effect.map(
        rows(
          sql<Row>`SELECT record_json FROM channel_ask WHERE channel = ${channel} AND answered_by = ${message}`
        ),
        (found) => Option.fromUndefinedOr(asksIn(found).find((ask) => ask.chat === chat))
      ),
    openAsks: (channel) =>
      Effect.map(
        rows(sql<Row>`SELECT record_json FROM channel_ask WHERE channel = ${channel} AND open = 1`),
        asksIn
      ),

    threadOf: (channel, chat) =>
      Effect.map(
        failing(
          sql<{
            thread_id: string | null
          }>`SELECT thread_id FROM channel_chat WHERE channel = ${channel} AND chat = ${chat}`
        ),
        ([row]) => Option.fromNullishOr(row?.thread_id as ThreadId | null | undefined)
      ),
    saveThread: (channel, chat, threadId) =>
      run(sql`INSERT INTO channel_chat ${sql.insert({ channel, chat, thread_id: threadId })}
        ON CONFLICT (channel, chat) DO UPDATE SET thread_id = ${threadId}`),
    forgetThread: (channel, chat) =>
      run(sql`UPDATE channel_chat SET thread_id = NULL WHERE channel = ${channel} AND chat = ${chat}`),
    rename: (channel, chat, to) =>
      Effect.gen(function* () {
        const [old] = yield* sql<{ thread_id: string | null }>`
          SELECT thread_id FROM channel_chat WHERE channel = ${channel} AND chat = ${chat}`
        if (old !== undefined && old.thread_id !== null) {
          yield* sql`INSERT INTO channel_chat ${sql.insert({ channel, chat: to, thread_id: old.thread_id })}
            ON CONFLICT (channel, chat) DO UPDATE SET thread_id = coalesce(channel_chat.thread_id, excluded.thread_id)`
        }
        const inbox = yield* sql<Row & { seq: number }>`SELECT seq, record_json FROM channel_inbox
          WHERE channel = ${channel} AND chat = ${chat} AND open = 1 AND NOT EXISTS (SELECT 1 FROM channel_inbox AS there
            WHERE there.channel = ${channel} AND there.chat = ${to} AND there.message = channel_inbox.message)`
        for (const { record_json, seq } of inbox) {
          const moved = changed(record_json, (record) => ({
            ...record,
            chat: to,
            cameIn: record["cameIn"] ?? chat
          }))
          yield* sql`UPDATE channel_inbox SET chat = ${to}, record_json = ${moved} WHERE seq = ${seq}`
        }
        const outbox = yield* sql<Row & { seq: number }>`SELECT seq, record_json FROM channel_outbox
          WHERE channel = ${channel} AND chat = ${chat} AND open = 1`
        for (const { record_json, seq } of outbox) {
          const moved = changed(record_json, (record) => ({ ...record, chat: to }))
          yield* sql`UPDATE channel_outbox SET chat = ${to}, record_json = ${moved} WHERE seq = ${seq}`
        }
        const asks = yield* sql<Row & { id: string }>`
          SELECT id, record_json FROM channel_ask WHERE channel = ${channel} AND open = 1`
        for (const { id, record_json } of asks) {
          const moved = changed(record_json, (record) =>
            record["chat"] === chat ? { ...record, chat: to } : record
          )
          if (moved !== record_json)
            yield* sql`UPDATE channel_ask SET record_json = ${moved} WHERE channel = ${channel} AND id = ${id}`
        }
      }).pipe(failing),
    chats: (channel) =>
      Effect.map(
        failing(sql<{ chat: string }>`SELECT chat FROM channel_chat WHERE channel = ${channel}`),
        (found) => found.map(({ chat }) => chat as ChatKey)
      ),
    busy: (channel) =>
      Effect.map(
        failing(
          sql<{ chat: string }>`SELECT chat FROM channel_inbox WHERE channel = ${channel} AND open = 1
            UNION SELECT chat FROM channel_outbox WHERE channel = ${channel} AND open = 1`
        ),
        (found) => found.map(({ chat }) => chat as ChatKey)
      ),
    waiting: (channel) =>
      Effect.map(
        failing(
          sql<{ n: number; m: number }>`SELECT
            (SELECT count(*) FROM channel_inbox WHERE channel = ${channel} AND open = 1) AS n,
            (SELECT count(*) FROM channel_outbox WHERE channel = ${channel} AND due = 1) AS m`
        ),
        ([row]) => ({ in: row?.n ?? 0, out: row?.m ?? 0 })
      ),

    peers: (channel) =>
      Effect.map(
        failing(
          sql<{ id: string; name: string; since: string }>`
            SELECT person AS id, name, since FROM channel_peer WHERE channel = ${channel} ORDER BY since`
        ),
        (found) => Option.getOrElse(peersIn(found), () => [])
      ),
    isPeer: (channel, person) =>
      Effect.map(
        failing(sql`SELECT 1 FROM channel_peer WHERE channel = ${channel} AND person = ${person}`),
        (found) => found.length > 0
      ),
    letIn: (channel, { id, name, since }) =>
      run(sql`INSERT INTO channel_peer ${sql.insert({ channel, person: id, name, since: since ?? "" })}
        ON CONFLICT (channel, person) DO UPDATE SET ${sql.update({ name, since: since ?? "" })}`),
    revoke: (channel, person) =>
      Effect.map(
        failing(
          sql`DELETE FROM channel_peer WHERE channel = ${channel} AND person = ${person} RETURNING person`
        ),
        (found) => found.length > 0
      ),
    offer: (channel, hash, expiresAt) =>
      run(sql`INSERT INTO channel_pairing ${sql.insert({ channel, hash, expires_at: expiresAt })}
        ON CONFLICT (channel, hash) DO UPDATE SET expires_at = ${expiresAt}`),
    take: (channel, hash, now) =>
      Effect.map(
        failing(
          sql<{
            expires_at: string
          }>`DELETE FROM channel_pairing WHERE channel = ${channel} AND hash = ${hash} RETURNING expires_at`
        ),
        ([row]) => row !== undefined && row.expires_at > now
      ),
    withdraw: (channel) => run(sql`DELETE FROM channel_pairing WHERE channel = ${channel}`)
  }
}
