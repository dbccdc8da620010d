import { NodeServices } from "@effect/platform-node"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { assert, describe, it } from "@effect/vitest"
import { MessageId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { ThreadRecord } from "@rejoin/core/store/Records"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { bindingRecord, threadRecord, turnRecord } from "@rejoin/testkit/ThreadStoreSuite"
import { Effect, FileSystem, Layer, Option, Schema } from "effect"
import { Migrator, SqlClient } from "effect/sql"
import * as Database from "./Database.ts"
import { migrations } from "./Migrations.ts"
import * as SqlThreadStore from "./SqlThreadStore.ts"

const file = (filename: string) => SqlThreadStore.layer.pipe(Layer.provideMerge(Database.layer(filename)))

const schema = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{
    name: string
    sql: string | null
  }>`SELECT name, sql FROM sqlite_master ORDER BY name`
  return rows.map(({ name, sql }) => `${name}: ${sql}`)
})

describe("a database of each earlier version", () => {
  for (const version of Object.keys(migrations).slice(0, -1)) {
    it.effect(`of ${version}: has the present schema, its threads, and takes new ones`, () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const directory = yield* fs.makeTempDirectoryScoped()
        const old = `${directory}/old.db`
        const until = Object.fromEntries(Object.entries(migrations).filter(([name]) => name <= version))
        yield* Effect.gen(function* () {
          const sql = yield* SqlClient.SqlClient
          yield* Migrator.make({})({ loader: Migrator.fromRecord(until), table: "rejoin_migrations" })
          const { createdAt, id, lastSeq, ...rest } = threadRecord("t1")
          const record = { createdAt, id, lastSeq, ...rest }
          const record_json = yield* Schema.encodeEffect(Schema.fromJsonString(ThreadRecord))(record)
          yield* sql`INSERT INTO thread ${sql.insert({ id, last_seq: lastSeq, created_at: createdAt, record_json })}`
          const sent = turnRecord("u1", "t1", { status: "completed", messageId: MessageId.make("m1") })
          const turn = { id: "u1", thread_id: "t1", open: 0, record_json: JSON.stringify(sent) }
          yield* sql`INSERT INTO turn ${sql.insert(turn)}`
        }).pipe(Effect.provide(SqliteClient.layer({ filename: old })))
        yield* Effect.gen(function* () {
          const store = yield* ThreadStore
          assert.isTrue((yield* store.getThread(ThreadId.make("t1")))._tag === "Some")
          const found = yield* store.findMessage(ThreadId.make("t1"), MessageId.make("m1"))
          assert.strictEqual(Option.getOrUndefined(found)?.id, TurnId.make("u1"))
          const sql = yield* SqlClient.SqlClient
          assert.deepEqual(yield* sql`SELECT provider FROM thread`, [{ provider: "memory" }])
          yield* store.insertThread(threadRecord("t2"), bindingRecord("t2"))
          assert.deepEqual(
            yield* schema,
            yield* Effect.provide(schema, file(`${directory}/new.db`), { local: true })
          )
        }).pipe(Effect.provide(file(old)))
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
    )
  }
})
