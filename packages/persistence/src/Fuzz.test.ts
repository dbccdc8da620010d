import { assert, describe, it } from "@effect/vitest"
import { ThreadId } from "@rejoin/contracts/Ids"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { torn } from "@rejoin/testkit/Mutated"
import { bindingRecord, threadRecord } from "@rejoin/testkit/ThreadStoreSuite"
import { Effect, Exit, Layer, Logger, Option } from "effect"
import { SqlClient } from "effect/sql"
import fc from "fast-check"
import * as Database from "./Database.ts"
import * as SqlThreadStore from "./SqlThreadStore.ts"
import { freshPostgres, hasPostgres } from "./testing/FreshPostgres.ts"

const databases = [
  ["SQLite", Database.layer(":memory:"), 60],
  ...(hasPostgres ? [["PostgreSQL", freshPostgres, 15] as const] : [])
] as const
const storeOn = <E>(database: Layer.Layer<SqlClient.SqlClient, E>) =>
  SqlThreadStore.layer.pipe(Layer.provideMerge(database))
const damaged = ThreadId.make("t1")
const whole = ThreadId.make("t2")

const broken = (row: string, cursor: string, status: string) =>
  Effect.gen(function* () {
    const store = yield* ThreadStore
    const sql = yield* SqlClient.SqlClient
    for (const id of ["t1", "t2"]) {
      yield* store.insertThread(threadRecord(id), bindingRecord(id))
    }
    yield* sql`UPDATE thread SET record_json = ${row} WHERE id = 't1'`
    yield* sql`UPDATE provider_session_runtime SET resume_cursor_json = ${cursor}, status = ${status}
      WHERE thread_id = 't1'`
    return {
      thread: yield* Effect.exit(store.getThread(damaged)),
      binding: yield* Effect.exit(store.getBinding(damaged)),
      listed: yield* store.listThreads({ limit: 9 }),
      stopped: yield* Effect.exit(store.stopBindings),
      bound: yield* store.getBinding(whole),
      other: yield* store.getThread(whole)
    }
  })

const isError = (exit: Exit.Exit<unknown, { readonly _tag: string }>) =>
  Exit.isFailure(exit) && Option.isNone(Exit.findErrorOption(exit))

describe.for(databases)("E12: whatever stands in a row of %s", ([, database, numRuns]) => {
  const layer = storeOn(database)

  it.effect("hides no other row, and a broken cursor is no cursor", () =>
    Effect.gen(function* () {
      const store = yield* ThreadStore
      const sql = yield* SqlClient.SqlClient
      yield* store.insertThread(threadRecord("t1"), bindingRecord("t1"))
      yield* store.insertThread(threadRecord("t2"), bindingRecord("t2"))
      yield* sql`UPDATE thread SET record_json = '{"broken": true}' WHERE id = 't1'`
      yield* sql`UPDATE provider_session_runtime SET resume_cursor_json = '{half' WHERE thread_id = 't2'`
      assert.deepEqual(
        (yield* store.listThreads({ limit: 9 })).map(({ id }) => id as string),
        ["t2"]
      )
      const exit = yield* Effect.exit(store.getThread(damaged))
      assert.isTrue(Exit.isFailure(exit) && Exit.findErrorOption(exit)._tag === "Some")
      assert.isNull(Option.getOrThrow(yield* store.getBinding(whole)).cursor)
    }).pipe(Effect.provide(layer))
  )

  it("is read or is a typed error, and hides no other row", async () => {
    const record = JSON.stringify(threadRecord("t1"))
    const cursor = JSON.stringify({ v: 1, driver: "memory", providerSessionId: "s", storeId: "s" })
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(torn(record), fc.json()),
        fc.oneof(torn(cursor), fc.json()),
        fc.oneof(fc.constant("ready"), fc.string()),
        async (row, cursor, status) => {
          const seen = await Effect.runPromise(
            Effect.provide(broken(row, cursor, status), [Layer.fresh(layer), Logger.layer([])])
          )
          assert.isFalse(isError(seen.thread), "a thread's row is no defect")
          assert.isFalse(isError(seen.binding), "a binding's row is no defect")
          assert.isTrue(Option.isSome(seen.other))
          assert.include(
            seen.listed.map(({ id }) => id),
            whole
          )
          assert.isTrue(Exit.isSuccess(seen.stopped), "no row holds up a start")
          assert.isTrue(Option.isSome(seen.bound))
        }
      ),
      { numRuns, seed: 1 }
    )
  })
})
