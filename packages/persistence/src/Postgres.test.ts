import { assert, describe, it } from "@effect/vitest"
import { PgClient } from "@effect/sql-pg"
import type { StoreFailed } from "@rejoin/contracts/Errors"
import { ItemId, ProviderSessionId, RuleId, StoreId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { Timestamp } from "@rejoin/contracts/Time"
import { termsOf } from "@rejoin/core/search/SearchText"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { damagedBundlesSuite } from "@rejoin/testkit/DamagedBundles"
import { bindingRecord, threadRecord, threadStoreSuite, turnRecord } from "@rejoin/testkit/ThreadStoreSuite"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Option, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient } from "effect/sql"
import * as Postgres from "./Postgres.ts"
import * as SqlThreadStore from "./SqlThreadStore.ts"
import { freshPostgres, freshSchema, hasPostgres } from "./testing/FreshPostgres.ts"

const layer = SqlThreadStore.layer.pipe(Layer.provideMerge(freshPostgres))
const thread = ThreadId.make("t1")
const at = Timestamp.make("2026-01-01T00:00:00.000Z")

const failureOf = <A, E>(exit: Exit.Exit<A, E>) =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Exit.findErrorOption(exit)) : undefined

const item = (id: string, text: string) => ({
  threadId: thread,
  item: {
    id: ItemId.make(id),
    turnId: TurnId.make("u1"),
    kind: "assistant-message" as const,
    status: "completed" as const,
    text
  }
})

if (hasPostgres) {
  threadStoreSuite("M1, PostgreSQL", layer)
  damagedBundlesSuite("PostgreSQL", layer)
}

describe.skipIf(!hasPostgres)("M1: PostgreSQL", () => {
  it.live("several servers that begin at once on an empty database have one schema", () =>
    Effect.gen(function* () {
      const config = yield* freshSchema
      const begin = Layer.build(Layer.fresh(Postgres.layer({ ...config, connections: 2 })))
      yield* Effect.all([begin, begin, begin, begin], { concurrency: "unbounded" })
    }).pipe(Effect.scoped)
  )

  it.live("of a newer version is refused clearly and left as it is", () =>
    Effect.gen(function* () {
      const config = yield* freshSchema
      yield* Effect.flatMap(
        SqlClient.SqlClient,
        (sql) => sql`INSERT INTO rejoin_migrations (migration_id, name) VALUES (999, 'later')`
      ).pipe(Effect.provide(Postgres.layer(config)))
      const error = failureOf(
        yield* Effect.exit(Layer.build(Layer.fresh(Postgres.layer({ ...config, connections: 1 }))))
      )
      assert.include(String(error), "schema 999")
    }).pipe(Effect.scoped)
  )

  it.live("that is not there, or does not let us in, is an error that says so", () =>
    Effect.gen(function* () {
      const config = yield* freshSchema
      for (const [change, says] of [
        ["127.0.0.1:1", "ECONNREFUSED"],
        ["127.0.0.1", "nobody"]
      ] as const) {
        const url = new URL(Redacted.value(config.url))
        if (says === "nobody") url.username = "nobody"
        else url.host = change
        const error = failureOf(
          yield* Effect.exit(Layer.build(Layer.fresh(Postgres.layer({ url: Redacted.make(url.href) }))))
        )
        assert.strictEqual(error?._tag, "StoreFailed")
        assert.include(error?.message ?? "", says)
      }
    }).pipe(Effect.scoped)
  )

  it.live("keeps what agents print, byte for byte, and records that are large", () =>
    Effect.gen(function* () {
      const store = yield* ThreadStore
      yield* store.insertThread(threadRecord("t1"), bindingRecord("t1"))
      const said = ["\0 and \ud800 half", "x".repeat(17_000_000), `${"w ".repeat(20_000)}last words`]
      yield* store.saveItems(said.map((text, nth) => item(`i${nth}`, text)))
      yield* store.appendEvents([
        {
          type: "warning",
          threadId: thread,
          generation: 1,
          at,
          data: { said: said[0] }
        }
      ])
      assert.deepEqual(
        (yield* store.listItems(thread, { limit: 9 })).map(({ text }) => text),
        said
      )
      const [event] = yield* store.readEvents({ afterPosition: 0 }, 9)
      assert.deepEqual(event?.data, { said: said[0] })
      // A word is found wherever it stands, in however long an item.
      const find = (q: string) => store.search.find(termsOf(q), { skip: 0, limit: 9 })
      assert.lengthOf(yield* find("last"), 1)
      assert.lengthOf(yield* find(`${"x".repeat(500)}*`), 1)
    }).pipe(Effect.provide(layer))
  )

  it.live("takes names and paths as long as they may be", () =>
    Effect.gen(function* () {
      const store = yield* ThreadStore
      // Three bytes each, and nothing that could be made shorter.
      const long = (length: number) =>
        Array.from({ length }, () => String.fromCodePoint(0x4e00 + Math.floor(Math.random() * 20_000))).join(
          ""
        )
      const key = { agent: long(200), external: long(500) }
      const project = long(500)
      const id = long(256)
      const session = {
        driver: "memory",
        storeId: StoreId.make(`/${long(1300)}:mark`),
        providerSessionId: ProviderSessionId.make(long(256))
      }
      yield* store.insertThread(threadRecord(id, { key, project }), bindingRecord(id, session))
      assert.isTrue(Option.isSome(yield* store.findThread(key)))
      assert.lengthOf(yield* store.listThreads({ limit: 9, project }), 1)
      assert.isTrue(Option.isSome(yield* store.findSession(session)))
      yield* store.insertThread(threadRecord("t2"), bindingRecord("t2"))
      const other = bindingRecord("t2", session)
      assert.strictEqual(
        failureOf(yield* Effect.exit(store.saveBinding(other)))?._tag,
        "SessionHeldElsewhere"
      )
      const trust = { path: `/${long(1360)}`, found: [], trustedAt: at }
      yield* store.saveTrusted(trust)
      yield* store.saveTrusted(trust)
      assert.lengthOf(yield* store.listTrusted, 1)
    }).pipe(Effect.provide(layer))
  )

  it.live("an item of more different words than can be found is kept whole, and found by its first", () =>
    Effect.gen(function* () {
      const store = yield* ThreadStore
      yield* store.insertThread(threadRecord("t1"), bindingRecord("t1"))
      const text = Array.from({ length: 300_000 }, (_, nth) => `word${nth}`).join(" ")
      yield* store.saveItems([item("i1", text)])
      const [kept] = yield* store.listItems(thread, { limit: 1 })
      assert.strictEqual(kept?.text?.length, text.length)
      assert.lengthOf(yield* store.search.find(termsOf("word17"), { skip: 0, limit: 9 }), 1)
    }).pipe(Effect.provide(layer))
  )

  it.live("an agent's ids, whatever they are like, hold up nothing", () =>
    Effect.gen(function* () {
      const store = yield* ThreadStore
      yield* store.insertThread(threadRecord("t1"), bindingRecord("t1"))
      const ids = [
        "a\0b",
        "\ud800",
        Array.from({ length: 250 }, (_, nth) => String.fromCodePoint(0x4e00 + nth * 7)).join("")
      ]
      yield* store.saveItems(ids.map((id) => item(id, "word")))
      yield* store.saveItems(ids.map((id) => item(id, "word again")))
      yield* store.appendEvents(
        ids.map((id) => ({
          type: "warning",
          threadId: thread,
          itemId: ItemId.make(id),
          generation: 1,
          at,
          data: {}
        }))
      )
      const items = yield* store.listItems(thread, { limit: 9 })
      assert.deepEqual(
        items.map(({ id }) => id as string),
        ids
      )
      assert.lengthOf(yield* store.listItems(thread, { before: ItemId.make(ids[2] ?? ""), limit: 9 }), 2)
      assert.lengthOf(yield* store.search.find(termsOf("again"), { skip: 0, limit: 9 }), 3)
    }).pipe(Effect.provide(layer))
  )

  it.live(
    "a phrase is found in a long listing, where each of its words stands more often than can be told",
    () =>
      Effect.gen(function* () {
        const store = yield* ThreadStore
        yield* store.insertThread(threadRecord("t1"), bindingRecord("t1"))
        const lines = Array.from({ length: 300 }, (_, nth) => `src/components/file${nth}.ts:1: import x`)
        yield* store.saveItems([
          item("i1", [...lines, "src/components/needle.ts:7: boom"].join("\n")),
          item("i2", `${"私の本の猫。".repeat(200)}森の鹿`),
          item("i3", "ΘΆΛΑΣΣΑ and a keycap 1\u20e3")
        ])
        for (const [query, found] of [
          ["src/components/needle.ts", "i1"],
          ["森の鹿", "i2"],
          ["ΘΆΛΑΣΣ*", "i3"],
          ['"keycap 1"', "i3"]
        ] as const) {
          const all = yield* store.search.find(termsOf(query), { skip: 0, limit: 9 })
          assert.deepEqual(
            all.map(({ item }) => item.id as string),
            [found],
            query
          )
        }
      }).pipe(Effect.provide(layer))
  )

  it.live("what an attachment holds stays as long as a turn has it, whoever gives it up in that moment", () =>
    Effect.gen(function* () {
      const store = yield* ThreadStore
      const blob = { hash: "h", data: "AAAA" }
      for (let round = 0; round < 15; round++) {
        const [old, next] = [`o${round}`, `n${round}`]
        for (const id of [old, next]) {
          yield* store.insertThread(threadRecord(id), bindingRecord(id))
          yield* store.saveTurn(turnRecord(`u${id}`, id))
        }
        yield* store.saveBlobs(TurnId.make(`u${old}`), [blob])
        yield* Effect.all(
          [store.purgeThread(ThreadId.make(old)), store.saveBlobs(TurnId.make(`u${next}`), [blob])],
          { concurrency: 2 }
        )
        assert.isTrue(Option.isSome(yield* store.getBlob("h")))
        yield* store.deleteThread(ThreadId.make(next))
      }
    }).pipe(Effect.provide(layer))
  )

  it.live("that is in another encoding is refused at the start", () =>
    Effect.gen(function* () {
      const config = yield* freshSchema
      const name = config.schema
      const admin = yield* PgClient.makeClient({ url: config.url }).pipe(Effect.provide(Reactivity.layer))
      yield* admin.unsafe(`CREATE DATABASE ${name} ENCODING 'LATIN1' TEMPLATE template0`)
      yield* Effect.addFinalizer(() => Effect.ignore(admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`)))
      const url = new URL(Redacted.value(config.url))
      url.pathname = `/${name}`
      const error = failureOf(
        yield* Effect.exit(
          Effect.scoped(Layer.build(Layer.fresh(Postgres.layer({ url: Redacted.make(url.href) }))))
        )
      )
      assert.include(String(error), "LATIN1")
    }).pipe(Effect.scoped)
  )

  it.live("what it cannot take is an error, and the next is taken", () =>
    Effect.gen(function* () {
      const store = yield* ThreadStore
      yield* store.insertThread(threadRecord("t1"), bindingRecord("t1"))
      const bad = threadRecord("t1", { project: "a\0b", title: "half" })
      assert.strictEqual(failureOf(yield* Effect.exit(store.saveThread(bad)))?._tag, "StoreFailed")
      const two = store.transaction(
        Effect.andThen(store.saveThread(threadRecord("t1", { title: "half" })), store.saveThread(bad))
      )
      assert.strictEqual(failureOf(yield* Effect.exit(two))?._tag, "StoreFailed")
      assert.strictEqual(Option.getOrThrow(yield* store.getThread(thread)).title, "a title")
      yield* store.saveThread(threadRecord("t1", { title: "whole" }))
      assert.strictEqual(Option.getOrThrow(yield* store.getThread(thread)).title, "whole")
    }).pipe(Effect.provide(layer))
  )

  it.live(
    "M6: a transaction whose connection is cut keeps nothing, is told as away, and goes another time",
    () =>
      Effect.gen(function* () {
        const store = yield* ThreadStore
        const sql = yield* SqlClient.SqlClient
        yield* store.insertThread(threadRecord("t1"), bindingRecord("t1"))
        const write = (then: Effect.Effect<unknown>) =>
          store.transaction(
            Effect.andThen(
              Effect.andThen(store.lock([thread]), store.saveThread(threadRecord("t1", { title: "half" }))),
              then
            )
          )
        const cut = Effect.orDie(Effect.ignore(sql`SELECT pg_terminate_backend(pg_backend_pid())`))
        const error = failureOf(yield* Effect.exit(write(cut)))
        assert.deepInclude({ ...error }, { _tag: "StoreFailed", away: true })
        assert.strictEqual(Option.getOrThrow(yield* store.getThread(thread)).title, "a title")
        yield* write(Effect.void)
        assert.strictEqual(Option.getOrThrow(yield* store.getThread(thread)).title, "half")
      }).pipe(Effect.provide(layer))
  )

  it.live(
    "M5: a server that freezes within a transaction holds up no other for long, and then writes nothing",
    () =>
      Effect.gen(function* () {
        const config = yield* freshSchema
        const server = Effect.map(
          Layer.build(Layer.fresh(Layer.provide(SqlThreadStore.layer, Postgres.layer(config)))),
          Context.get(ThreadStore)
        )
        const [frozen, other] = [yield* server, yield* server]
        yield* other.insertThread(threadRecord("t1"), bindingRecord("t1"))
        const [holding, thaw] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const rename = (store: ThreadStore["Service"], title: string, between: Effect.Effect<void>) =>
          store.transaction(
            Effect.gen(function* () {
              yield* store.lock([thread])
              yield* between
              yield* store.saveThread(threadRecord("t1", { title }))
            })
          )
        const zombie = yield* Effect.forkScoped(
          Effect.exit(
            rename(
              frozen,
              "of the frozen",
              Effect.andThen(Deferred.succeed(holding, undefined), Deferred.await(thaw))
            )
          )
        )
        yield* Deferred.await(holding)
        // It is waited for until the database ends it: 5 seconds.
        yield* Effect.timeout(rename(other, "of the other", Effect.void), "9 seconds")
        yield* Deferred.succeed(thaw, undefined)
        assert.strictEqual(failureOf(yield* Fiber.join(zombie))?._tag, "StoreFailed")
        assert.strictEqual(Option.getOrThrow(yield* other.getThread(thread)).title, "of the other")
      }).pipe(Effect.scoped)
  )

  it.live(
    "law 5: one server at a time; one that was replaced while its connection was away writes nothing",
    () =>
      Effect.gen(function* () {
        const config = yield* freshSchema
        const server = Layer.fresh(Layer.provideMerge(SqlThreadStore.layer, Postgres.layerAlone(config)))
        const begin = Effect.map(Layer.build(server), (context) => ({
          store: Context.get(context, ThreadStore),
          sql: Context.get(context, SqlClient.SqlClient)
        }))
        const insert = (store: ThreadStore["Service"], id: string) =>
          Effect.exit(store.insertThread(threadRecord(id), bindingRecord(id)))
        const first = yield* begin
        assert.strictEqual(failureOf(yield* Effect.exit(Effect.scoped(begin)))?._tag, "DataDirectoryHeld")
        assert.isTrue(Exit.isSuccess(yield* insert(first.store, "t1")))
        // As a restart of the database would.
        const cut = first.sql`SELECT pg_terminate_backend(pid) FROM pg_locks
        WHERE locktype = 'advisory' AND classid = hashtext(current_schema())::oid`
        const second = yield* cut.pipe(
          Effect.andThen(begin),
          Effect.retry({ while: (error) => error._tag === "DataDirectoryHeld" })
        )
        assert.include(String(failureOf(yield* insert(first.store, "t2"))), "taken this database over")
        // Nor does it by any other way, and it does not call itself fit for work.
        const rule = {
          id: RuleId.make("r1"),
          scope: { project: "p" },
          tool: "bash",
          pattern: "rm *",
          decision: "accept" as const,
          createdAt: at
        }
        for (const write of [
          first.store.rules.save(rule),
          first.store.saveThread(threadRecord("t1", { title: "of the first" })),
          first.store.nextGeneration(thread),
          first.store.stopBindings,
          first.store.deleteThread(thread),
          first.store.transaction(first.store.lastPosition)
        ])
          assert.include(
            String(failureOf(yield* Effect.exit<unknown, StoreFailed, never>(write))),
            "taken this database over"
          )
        assert.isTrue(Exit.isSuccess(yield* insert(second.store, "t3")))
        assert.strictEqual(Option.getOrThrow(yield* second.store.getThread(thread)).title, "a title")
        assert.deepEqual(
          (yield* second.store.listThreads({ limit: 9 })).map(({ id }) => id as string),
          ["t3", "t1"]
        )
      }).pipe(Effect.scoped)
  )
})
