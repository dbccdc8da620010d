// `node bench/src/search.ts [items]`: what it costs to find something among so many items, a rare word and a common one, and
// what it costs to make an item findable when it is written.
import { NodeServices } from "@effect/platform-node"
import { ItemId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { Item } from "@rejoin/contracts/Item"
import { termsOf } from "@rejoin/core/search/SearchText"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import * as Database from "@rejoin/persistence/Database"
import * as SqlThreadStore from "@rejoin/persistence/SqlThreadStore"
import { bindingRecord, threadRecord } from "@rejoin/testkit/ThreadStoreSuite"
import { Console, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { median, report, took } from "./Measure.ts"

const size = Number(process.argv[2] ?? 1_000_000)
const batch = 500
const threads = 200
const turns = 500

/** Words as a language has them: a few are everywhere, most are rare. Always the same. */
const words = Array.from({ length: 20_000 }, (_, i) => `w${i.toString(36)}`)
let seed = 1
const random = () => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff) / 0x7fffffff
const word = () => words[Math.floor(words.length ** random()) - 1] ?? "w0"

const itemOf = (i: number): Item => ({
  id: ItemId.make(`i${i}`),
  turnId: TurnId.make(`u${i >> 2}`),
  kind: "assistant-message",
  status: "completed",
  text: Array.from({ length: 40 }, word).join(" ")
})

const bench = Effect.gen(function* () {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "rejoin-bench-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  const file = join(directory, "rejoin.db")
  yield* Effect.gen(function* () {
    const store = yield* ThreadStore
    const sql = yield* SqlClient.SqlClient
    for (let i = 0; i < threads; i++) yield* store.insertThread(threadRecord(`t${i}`), bindingRecord(`t${i}`))
    /** As it would be written where it need not be found. */
    const insert = (threadId: ThreadId, item: Item) =>
      sql`INSERT INTO item (thread_id, id, record_json)
        SELECT ${threadId}, ${`p${item.id}`}, ${JSON.stringify(item)} WHERE EXISTS (SELECT 1 FROM thread WHERE id = ${threadId})
        ON CONFLICT (thread_id, id) DO UPDATE SET record_json = excluded.record_json`
    const written = { findable: 0, plain: 0 }
    let n = 0
    while (n < size) {
      const threadId = ThreadId.make(`t${Math.floor((n * threads) / size)}`)
      const some = Array.from({ length: batch }, (_, i) => itemOf(n + i))
      const started = performance.now()
      yield* store.transaction(store.saveItems(some.map((item) => ({ threadId, item }))))
      written.findable += performance.now() - started
      // The same without, taken back again.
      if (n % (batch * 20) === 0) {
        const begun = performance.now()
        yield* Effect.ignore(
          store.transaction(
            Effect.gen(function* () {
              for (const item of some) yield* insert(threadId, item)
              written.plain += performance.now() - begun
              return yield* Effect.fail("taken back")
            })
          )
        )
      }
      n += batch
    }
    const plain = written.plain / Math.ceil(size / batch / 20) / batch
    const findable = written.findable / size
    yield* Console.log(
      `${size} items, ${(statSync(file).size / 1e6).toFixed(0)} MB: ${(findable * 1000).toFixed(0)} µs to write one, ${(plain * 1000).toFixed(0)} without the index = ${(findable / plain).toFixed(2)}`
    )
    // As a turn writes them: three items in a transaction that reaches the disk.
    const times = { findable: [] as Array<number>, plain: [] as Array<number> }
    const threadId = ThreadId.make("t0")
    for (let i = 0; i < turns; i++) {
      const some = [0, 1, 2].map((j) => itemOf(n + i * 6 + j))
      const others = [3, 4, 5].map((j) => itemOf(n + i * 6 + j))
      const toDisk = <A, E>(write: Effect.Effect<A, E>) =>
        took(Effect.andThen(store.transaction(write), store.durable))
      const findable = yield* toDisk(store.saveItems(some.map((item) => ({ threadId, item }))))
      times.findable.push(findable.whole)
      const plainly = yield* toDisk(Effect.forEach(others, (item) => insert(threadId, item)))
      times.plain.push(plainly.whole)
    }
    const ratio = median(times.findable) / median(times.plain)
    yield* Console.log(
      `a turn of three items, to the disk: ${median(times.findable).toFixed(2)} ms, ${median(times.plain).toFixed(2)} without the index = ${ratio.toFixed(2)}`
    )
    yield* report("search", { size, what: "a turn of three items", ratio })
    for (const [what, q] of [
      ["a rare word", words[15_000] ?? ""],
      ["a common word", words[1] ?? ""],
      ["two common words", `${words[1]} ${words[2]}`],
      ["a phrase of them", `"${words[1]} ${words[2]}"`],
      ["the beginning of many", "w1*"]
    ] as const) {
      const times: Array<number> = []
      let found = 0
      for (let i = 0; i < 15; i++) {
        const { whole } = yield* took(
          Effect.map(store.search.find(termsOf(q), { skip: 0, limit: 20 }), ({ length }) => {
            found = length
          })
        )
        times.push(whole)
      }
      yield* Console.log(`  ${what.padEnd(22)} ${median(times).toFixed(1)} ms for a page (${found})`)
      yield* report("search", { items: size, what, ms: median(times), findable, plain })
    }
  }).pipe(Effect.provide(Layer.provideMerge(SqlThreadStore.layer, Database.layer(file))), Effect.scoped)
}).pipe(Effect.scoped)

await Effect.runPromise(Effect.provide(bench, NodeServices.layer))
