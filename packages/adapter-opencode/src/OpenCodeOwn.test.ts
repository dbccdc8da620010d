import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { StoreId } from "@rejoin/contracts/Ids"
import { Effect, FileSystem } from "effect"
import { DatabaseSync } from "node:sqlite"
import { makeOwn } from "./OpenCodeOwn.ts"

const schema = `
  CREATE TABLE session (id, parent_id, title, directory, time_created, time_updated, time_archived);
  CREATE TABLE message (id, session_id, time_created, data);
  CREATE TABLE part (id, message_id, session_id, data)`

const world = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = `${yield* fs.makeTempDirectoryScoped()}/opencode.db`
  const database = (use: (db: DatabaseSync) => void) =>
    Effect.sync(() => {
      const db = new DatabaseSync(path)
      use(db)
      db.close()
    })
  const own = makeOwn("opencode", path, Effect.succeed(StoreId.make("store")))
  return { fs, path, database, own }
})

const test = <A, E>(body: Effect.Effect<A, E, import("effect").Scope.Scope | FileSystem.FileSystem>) =>
  Effect.scoped(body).pipe(Effect.provide(NodeServices.layer))

describe("OpenCode's own sessions", () => {
  it.live("I2: no database has none; one that is none, of another shape or held by somebody says so", () =>
    test(
      Effect.gen(function* () {
        const { database, fs, own, path } = yield* world
        assert.deepEqual((yield* own.list({ limit: 5 })).items, [])
        yield* fs.writeFileString(path, "no database")
        const told = Effect.map(Effect.flip(own.list({ limit: 5 })), ({ _tag }) => _tag)
        assert.strictEqual(yield* told, "ProviderFailed")
        yield* fs.remove(path)
        yield* database((db) => db.exec("CREATE TABLE session (id)"))
        assert.strictEqual(yield* told, "ProviderFailed")
        yield* fs.remove(path)
        const holding = yield* Effect.acquireRelease(
          Effect.sync(() => new DatabaseSync(path)),
          (db) => Effect.sync(() => db.close())
        )
        holding.exec(`${schema}; BEGIN EXCLUSIVE`)
        assert.strictEqual(yield* told, "ProviderFailed")
      })
    )
  )

  it.live("I2: a row that cannot be read is counted, and what of a conversation can be read is told", () =>
    test(
      Effect.gen(function* () {
        const { database, own } = yield* world
        const said = JSON.stringify({ type: "text", text: "said" })
        yield* database((db) => {
          db.exec(schema)
          const session = db.prepare("INSERT INTO session VALUES (?, NULL, ?, '/work', ?, ?, NULL)")
          session.run("ses_1", "whole", 1, 3)
          session.run("ses_2", "of no time", "never", 2)
          const message = db.prepare("INSERT INTO message VALUES (?, 'ses_1', ?, ?)")
          message.run("msg_1", 1, JSON.stringify({ role: "user" }))
          message.run("msg_2", 2, "{torn")
          message.run("msg_3", 3, JSON.stringify({ role: "user" }))
          const part = db.prepare("INSERT INTO part VALUES (?, ?, 'ses_1', ?)")
          part.run("prt_1", "msg_1", said)
          part.run("prt_2", "msg_2", "{torn")
          part.run("prt_3", "msg_3", said)
        })
        const { items, unreadable } = yield* own.list({ limit: 5 })
        assert.deepEqual(
          items.map(({ title }) => title),
          ["whole"]
        )
        assert.strictEqual(unreadable, 1)
        const found = yield* own.find("ses_1")
        if (found._tag === "None") return assert.fail("it is there")
        const past = yield* own.history(found.value.cursor)
        assert.deepEqual(
          past.map(({ input }) => input),
          ["said", "said"]
        )
      })
    )
  )
})
