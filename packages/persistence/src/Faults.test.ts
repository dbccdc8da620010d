import { assert, describe, it } from "@effect/vitest"
import { NodeServices } from "@effect/platform-node"
import { ThreadId } from "@rejoin/contracts/Ids"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { bindingRecord, threadRecord } from "@rejoin/testkit/ThreadStoreSuite"
import { Effect, Exit, FileSystem, Layer, Option } from "effect"
import { SqlClient } from "effect/sql"
import { DatabaseSync } from "node:sqlite"
import * as Database from "./Database.ts"
import * as SqlThreadStore from "./SqlThreadStore.ts"

const tagOf = <A, E extends { readonly _tag: string }>(exit: Exit.Exit<A, E>) =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Exit.findErrorOption(exit))?._tag : undefined

/** A store with a thread, in a file of its own. */
const withStore = <A, E>(
  body: (file: string) => Effect.Effect<A, E, ThreadStore | SqlClient.SqlClient | FileSystem.FileSystem>
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = `${yield* fs.makeTempDirectoryScoped()}/rejoin.db`
    const layer = SqlThreadStore.layer.pipe(Layer.provideMerge(Database.layer(file)))
    return yield* Effect.provide(
      Effect.gen(function* () {
        const store = yield* ThreadStore
        yield* store.insertThread(threadRecord("t1"), bindingRecord("t1"))
        return yield* body(file)
      }),
      layer
    )
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const big = threadRecord("t1", { title: "x".repeat(1_000_000) })
const titleOf = (store: ThreadStore["Service"]) =>
  Effect.map(store.getThread(ThreadId.make("t1")), (thread) => Option.getOrThrow(thread).title)

describe("law 6: a database that refuses", () => {
  it.effect(
    "for lack of space: a typed error, nothing half written, and it goes on when there is space again",
    () =>
      withStore(() =>
        Effect.gen(function* () {
          const store = yield* ThreadStore
          const sql = yield* SqlClient.SqlClient
          const [size] = yield* sql<{ page_count: number }>`PRAGMA page_count`
          yield* sql.unsafe(`PRAGMA max_page_count = ${(size?.page_count ?? 0) + 1}`)
          const two = store.transaction(
            Effect.andThen(store.saveThread(threadRecord("t1", { title: "half" })), store.saveThread(big))
          )
          assert.strictEqual(tagOf(yield* Effect.exit(two)), "StoreFailed")
          assert.strictEqual(yield* titleOf(store), "a title")
          yield* sql.unsafe("PRAGMA max_page_count = 100000")
          yield* store.saveThread(big)
          assert.lengthOf(yield* titleOf(store), 1_000_000)
        })
      )
  )

  it.effect("because it may only be read: a typed error, and what is there is still read", () =>
    withStore(() =>
      Effect.gen(function* () {
        const store = yield* ThreadStore
        const sql = yield* SqlClient.SqlClient
        yield* sql`PRAGMA query_only = 1`
        assert.strictEqual(tagOf(yield* Effect.exit(store.saveThread(big))), "StoreFailed")
        assert.strictEqual(yield* titleOf(store), "a title")
        yield* sql`PRAGMA query_only = 0`
        yield* store.saveThread(big)
      })
    )
  )

  it.effect(
    "because its file was deleted or replaced under us: nothing is accepted into a file that is gone",
    () =>
      withStore((file) =>
        Effect.gen(function* () {
          const fs = yield* FileSystem.FileSystem
          const store = yield* ThreadStore
          const write = store.transaction(store.saveThread(big))
          yield* fs.rename(file, `${file}.away`)
          assert.strictEqual(tagOf(yield* Effect.exit(write)), "StoreFailed")
          yield* fs.writeFileString(file, "")
          assert.strictEqual(tagOf(yield* Effect.exit(write)), "StoreFailed")
          assert.strictEqual(yield* titleOf(store), "a title")
          yield* fs.rename(`${file}.away`, file)
          yield* write
          assert.lengthOf(yield* titleOf(store), 1_000_000)
        })
      )
  )

  it.effect("because somebody else has locked it: a typed error, and it goes on when the lock is gone", () =>
    withStore((file) =>
      Effect.gen(function* () {
        const store = yield* ThreadStore
        const sql = yield* SqlClient.SqlClient
        yield* sql`PRAGMA busy_timeout = 1`
        const other = new DatabaseSync(file)
        other.exec("BEGIN IMMEDIATE")
        assert.strictEqual(tagOf(yield* Effect.exit(store.saveThread(big))), "StoreFailed")
        assert.strictEqual(yield* titleOf(store), "a title")
        other.exec("ROLLBACK")
        other.close()
        yield* store.saveThread(big)
      })
    )
  )
})
