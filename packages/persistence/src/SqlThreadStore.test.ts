import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ThreadId, TurnId, ItemId } from "@rejoin/contracts/Ids"
import { Timestamp } from "@rejoin/contracts/Time"
import { termsOf } from "@rejoin/core/search/SearchText"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { same, split, whole } from "@rejoin/core/turns/Attachments"
import { damagedBundlesSuite } from "@rejoin/testkit/DamagedBundles"
import { bindingRecord, threadRecord, threadStoreSuite, turnRecord } from "@rejoin/testkit/ThreadStoreSuite"
import { Array, Effect, Exit, FileSystem, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import * as Database from "./Database.ts"
import { DataDirectory } from "./DataDirectory.ts"
import * as SqlThreadStore from "./SqlThreadStore.ts"

const layer = (filename: string) => SqlThreadStore.layer.pipe(Layer.provideMerge(Database.layer(filename)))

threadStoreSuite("SQLite", layer(":memory:"))
damagedBundlesSuite("SQLite", layer(":memory:"))

const inTemporaryDirectory = <A, E>(
  body: (directory: string) => Effect.Effect<A, E, FileSystem.FileSystem>
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* body(yield* fs.makeTempDirectoryScoped())
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const failureOf = <A, E>(exit: Exit.Exit<A, E>) =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Exit.findErrorOption(exit)) : undefined

describe("the database file", () => {
  it.effect("outlives its connection: what was written is there when it is opened again", () =>
    inTemporaryDirectory((directory) =>
      Effect.gen(function* () {
        const file = layer(`${directory}/rejoin.db`)
        yield* Effect.flatMap(ThreadStore, (store) =>
          store.insertThread(threadRecord("t1"), bindingRecord("t1"))
        ).pipe(Effect.provide(file))
        const thread = yield* Effect.flatMap(ThreadStore, (store) =>
          store.getThread(ThreadId.make("t1"))
        ).pipe(Effect.provide(file))
        assert.isTrue(Option.isSome(thread))
      })
    )
  )

  it.effect("does not grow with the threads that were deleted", () =>
    Effect.gen(function* () {
      const store = yield* ThreadStore
      const at = Timestamp.make("2026-01-01T00:00:00.000Z")
      const gone = (i: number) =>
        ({
          type: "thread.deleted",
          threadId: ThreadId.make(`t${i}`),
          seq: 1,
          generation: 0,
          at,
          data: {}
        }) as const
      yield* store.insertThread(threadRecord("t1"), bindingRecord("t1"))
      yield* store.appendEvents([{ ...gone(1), type: "thread.updated" }])
      yield* store.appendEvents(Array.makeBy(10_003, gone))
      // Who was away for longer is told of a gap by the positions.
      const [created, oldest] = yield* store.readEvents({ afterPosition: 0 }, 2)
      assert.deepEqual([created?.position, oldest?.position], [1, 5])
      assert.strictEqual(yield* store.lastPosition, 10_004)
    }).pipe(Effect.provide(layer(":memory:")))
  )

  it.effect("of a newer version is refused clearly and left as it is", () =>
    inTemporaryDirectory((directory) =>
      Effect.gen(function* () {
        const file = layer(`${directory}/rejoin.db`)
        yield* Effect.flatMap(
          SqlClient.SqlClient,
          (sql) => sql`INSERT INTO rejoin_migrations (migration_id, name) VALUES (999, 'later')`
        ).pipe(Effect.provide(file))
        const error = failureOf(yield* Effect.exit(Effect.provide(ThreadStore, file)))
        assert.strictEqual(error?._tag, "StoreFailed")
        assert.include(String(error), "schema 999")
      })
    )
  )

  it.effect("of an older version keeps its attachments: they are moved out of the turns' rows", () =>
    inTemporaryDirectory((directory) =>
      Effect.gen(function* () {
        const file = layer(`${directory}/rejoin.db`)
        const attachment = { name: "a.png", mediaType: "image/png", data: "QUJDRA==" }
        // As it was before: without the tables, and with everything in the row.
        yield* Effect.gen(function* () {
          const store = yield* ThreadStore
          const sql = yield* SqlClient.SqlClient
          yield* store.insertThread(threadRecord("t1"), bindingRecord("t1"))
          yield* store.saveTurn(turnRecord("u1", "t1"))
          const item = { kind: "assistant-message", status: "completed", text: "said before" } as const
          const items = Array.makeBy(450, (i) => ({
            threadId: ThreadId.make("t1"),
            item: { ...item, id: ItemId.make(`i${i}`), turnId: TurnId.make("u1") }
          }))
          yield* store.saveItems(items)
          yield* sql`UPDATE turn SET record_json = json_set(record_json, '$.attachments', json(${JSON.stringify([attachment])}))`
          yield* sql`DROP TABLE turn_blob`
          yield* sql`DROP TABLE blob`
          yield* sql`DROP TABLE deleted_thread`
          yield* sql`DROP INDEX provider_session_runtime_alive`
          yield* sql`DROP INDEX provider_session_runtime_terminal`
          yield* sql`DROP TABLE transcript_piece`
          yield* sql`DROP TABLE transcript`
          yield* sql`CREATE TABLE transcript (thread_id TEXT PRIMARY KEY, envelope_json TEXT NOT NULL)`
          yield* sql`DROP INDEX item_thread`
          yield* sql`DROP INDEX thread_kept`
          yield* sql`ALTER TABLE thread DROP COLUMN purged`
          yield* sql`ALTER TABLE provider_session_runtime DROP COLUMN moved_json`
          yield* sql`DROP TRIGGER item_text_of_no_item`
          yield* sql`DROP TABLE item_text`
          yield* sql`DROP TABLE search_fill`
          yield* sql`DROP TABLE rule`
          yield* sql`DROP INDEX turn_due`
          yield* sql`DROP INDEX turn_deferred`
          yield* sql`ALTER TABLE turn DROP COLUMN due`
          yield* sql`DROP INDEX turn_message`
          yield* sql`DROP INDEX turn_key_turn`
          yield* sql`ALTER TABLE turn DROP COLUMN message_id`
          yield* sql`ALTER TABLE thread DROP COLUMN provider`
          for (const of of ["cursor", "inbox", "outbox", "ask", "chat", "peer", "pairing"])
            yield* sql`DROP TABLE ${sql(`channel_${of}`)}`
          yield* sql`DELETE FROM rejoin_migrations WHERE migration_id >= 4`
        }).pipe(Effect.provide(file))
        yield* Effect.gen(function* () {
          const store = yield* ThreadStore
          const turn = Option.getOrThrow(yield* store.getTurn(TurnId.make("u1")))
          assert.deepEqual(
            turn.attachments.map(({ bytes, mediaType, name }) => ({ name, mediaType, bytes })),
            [{ name: "a.png", mediaType: "image/png", bytes: 4 }]
          )
          assert.deepEqual(yield* whole(store, turn.attachments), [attachment])
          // What was said before is found once it was filled in, piece by piece.
          const find = store.search.find(termsOf("said before"), { skip: 0, limit: 500 })
          assert.lengthOf(yield* find, 0)
          assert.isTrue(yield* store.search.fill)
          assert.lengthOf(yield* find, 200)
          yield* store.search.fill.pipe(Effect.repeat({ while: (more) => more }))
          assert.lengthOf(yield* find, 450)
          // A new one with the same content is the same.
          assert.isTrue(same((yield* split([attachment])).refs, turn.attachments))
        }).pipe(Effect.provide(file))
      })
    )
  )

  it.effect("that is no database is an error, not a defect", () =>
    inTemporaryDirectory((directory) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        yield* fs.writeFileString(
          `${directory}/rejoin.db`,
          "this is not a database, and long enough to be looked at".repeat(50)
        )
        const error = failureOf(
          yield* Effect.exit(Effect.provide(ThreadStore, layer(`${directory}/rejoin.db`)))
        )
        assert.strictEqual(error?._tag, "StoreFailed")
      })
    )
  )
})

describe("law 5: one server a data directory", () => {
  it.effect("the second is told who holds it; when the first is gone it gets it", () =>
    inTemporaryDirectory((directory) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const hold = DataDirectory.layer(`${directory}/home`).pipe(Layer.provide(NodeServices.layer))
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* Layer.build(hold)
            const server = { pid: 42, url: "http://127.0.0.1:1", version: "0.0.0" }
            yield* fs.writeFileString(`${directory}/home/server.json`, JSON.stringify(server))
            const error = failureOf(yield* Effect.exit(Effect.scoped(Layer.build(Layer.fresh(hold)))))
            assert.deepInclude(
              { ...error },
              { _tag: "DataDirectoryHeld", pid: 42, url: "http://127.0.0.1:1" }
            )
          })
        )
        yield* Effect.scoped(Layer.build(Layer.fresh(hold)))
        assert.strictEqual((yield* fs.stat(`${directory}/home`)).mode & 0o777, 0o700)
      })
    )
  )

  it.effect("our files are our own, in a directory that was there before and open to others", () =>
    inTemporaryDirectory((directory) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const modeOf = (path: string) => Effect.map(fs.stat(path), ({ mode }) => mode & 0o777)
        const home = `${directory}/home`
        yield* fs.makeDirectory(home, { mode: 0o755 })
        yield* fs.writeFileString(`${home}/lock.db`, "", { mode: 0o644 })
        const held = DataDirectory.layer(home).pipe(Layer.provide(NodeServices.layer))
        yield* Effect.gen(function* () {
          yield* Layer.build(Layer.merge(held, layer(`${home}/rejoin.db`)))
          assert.strictEqual(yield* modeOf(home), 0o700)
          for (const name of ["lock.db", "rejoin.db", "rejoin.db-wal"])
            assert.strictEqual(yield* modeOf(`${home}/${name}`), 0o600, name)
        }).pipe(Effect.scoped)
      })
    )
  )
})
