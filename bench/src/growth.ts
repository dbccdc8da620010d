// `node bench/src/growth.ts [threads,…]`: what the store's acts cost with so many threads in the database: accepting a
// turn, a page of the list, of a project's list, a sweep of the retention, and what a start looks at.
import { ThreadId } from "@rejoin/contracts/Ids"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import * as Database from "@rejoin/persistence/Database"
import * as SqlThreadStore from "@rejoin/persistence/SqlThreadStore"
import { bindingRecord, threadRecord, turnRecord } from "@rejoin/testkit/ThreadStoreSuite"
import { Console, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { NodeServices } from "@effect/platform-node"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { median, report, took } from "./Measure.ts"

const sizes = (process.argv[2] ?? "1000,100000,1000000").split(",").map(Number)

/** Copies of one thread and its binding; every thousandth is of a project, and nothing of them is left to purge. */
const fill = (size: number) =>
  Effect.gen(function* () {
    const store = yield* ThreadStore
    const sql = yield* SqlClient.SqlClient
    yield* store.insertThread(threadRecord("t0", { project: null }), bindingRecord("t0"))
    const numbers = sql`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${size})`
    yield* sql`INSERT INTO thread (id, project, record_json, last_seq, created_at, purged)
      ${numbers} SELECT 't' || i, CASE WHEN i % 1000 = 0 THEN 'p' END,
        json_set(record_json, '$.id', 't' || i), 0, created_at, 1 FROM n, thread WHERE thread.id = 't0'`
    yield* sql`INSERT INTO provider_session_runtime (thread_id, instance_id, driver, resume_cursor_json, status,
        generation, prior, reset_requested, created_at, updated_at)
      ${numbers} SELECT 't' || i, instance_id, driver, resume_cursor_json, 'stopped', 1, prior, 0, created_at, updated_at
        FROM n, provider_session_runtime WHERE thread_id = 't0'`
  })

const bench = (size: number) =>
  Effect.gen(function* () {
    const store = yield* ThreadStore
    yield* fill(size)
    let turn = 0
    const acts = {
      accept: Effect.suspend(() =>
        store.transaction(
          Effect.andThen(
            store.saveTurn({ ...turnRecord(`u${turn++}`, "t1"), status: "completed" }),
            store.getThread(ThreadId.make(`t${size}`))
          )
        )
      ),
      list: store.listThreads({ limit: 50 }),
      "list of a project": store.listThreads({ limit: 50, project: "p" }),
      sweep: store.listThreads({ limit: 500, kept: true }),
      start: Effect.andThen(
        store.stopBindings,
        Effect.all([store.openTurns("all"), store.listIntents("ours")])
      )
    }
    for (const [act, effect] of Object.entries(acts)) {
      const times: Array<number> = []
      for (let i = 0; i < 50; i++) times.push((yield* took(effect)).whole)
      yield* Console.log(
        `${String(size).padStart(8)} threads: ${act.padEnd(18)} ${median(times).toFixed(2)} ms`
      )
      yield* report("growth", { threads: size, act, ms: median(times) })
    }
  }).pipe(
    Effect.provide(
      Layer.unwrap(
        Effect.map(
          Effect.acquireRelease(
            Effect.sync(() => mkdtempSync(join(tmpdir(), "rejoin-bench-"))),
            (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
          ),
          (directory) =>
            Layer.provideMerge(SqlThreadStore.layer, Database.layer(join(directory, "rejoin.db")))
        )
      )
    ),
    Effect.scoped
  )

await Effect.runPromise(
  Effect.forEach(sizes, bench, { discard: true }).pipe(Effect.provide(NodeServices.layer))
)
