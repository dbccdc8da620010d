import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { StoreId } from "@rejoin/contracts/Ids"
import { Effect, FileSystem } from "effect"
import { DatabaseSync } from "node:sqlite"
import { makeOwn } from "./CodexOwn.ts"
import { makeRollouts } from "./CodexRollouts.ts"

const idOf = (n: number) => `01a1fe2e-0000-7000-8000-${String(n).padStart(12, "0")}`
const columns =
  "id, rollout_path, name, title, first_user_message, cwd, source, thread_source, agent_role, archived, created_at, updated_at"

const world = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const home = yield* fs.makeTempDirectoryScoped()
  const directory = `${home}/sessions/2026/01/01`
  yield* fs.makeDirectory(directory, { recursive: true })
  const pathOf = (n: number) => `${directory}/rollout-2026-01-01T00-00-00-${idOf(n)}.jsonl`
  const rollout = (n: number, text: string, meta: object = {}) =>
    [
      {
        timestamp: "2026-01-01T00:00:00.000Z",
        type: "session_meta",
        payload: { id: idOf(n), timestamp: "2026-01-01T00:00:00.000Z", cwd: "/work", source: "cli", ...meta }
      },
      {
        type: "event_msg",
        payload: { type: "item_completed", item: { type: "UserMessage", content: [{ type: "text", text }] } }
      }
    ]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join("")
  for (const n of [1, 2]) yield* fs.writeFileString(pathOf(n), rollout(n, `said in ${n}`))
  yield* fs.writeFileString(pathOf(3), "no rollout\n")
  yield* fs.writeFileString(pathOf(4), rollout(4, "a sub-agent's", { source: { subagent: "x" } }))
  const index = `${home}/state_5.sqlite`
  const database = (use: (db: DatabaseSync) => void) =>
    Effect.sync(() => {
      const db = new DatabaseSync(index)
      use(db)
      db.close()
    })
  const own = makeOwn({
    provider: "codex",
    fs,
    home,
    rollouts: makeRollouts(fs, home),
    storeId: Effect.succeed(StoreId.make("store")),
    server: Effect.die("not asked")
  })
  const listed = Effect.map(own.list({ limit: 50 }), ({ items, unreadable }) => ({
    titles: items.map(({ title }) => title).toSorted((a, b) => a.localeCompare(b)),
    unreadable
  }))
  return { fs, index, database, pathOf, listed, own }
})

/** What its files tell, where the index does not. */
const byFiles = { titles: ["said in 1", "said in 2"], unreadable: 1 }

const test = <A, E>(body: Effect.Effect<A, E, import("effect").Scope.Scope | FileSystem.FileSystem>) =>
  Effect.scoped(body).pipe(Effect.provide(NodeServices.layer))

describe("Codex's own sessions", () => {
  it.live(
    "I2, E15: without an index, and with one that is no database or of another shape: by its files",
    () =>
      test(
        Effect.gen(function* () {
          const { database, fs, index, listed } = yield* world
          assert.deepEqual(yield* listed, byFiles)
          yield* fs.writeFileString(index, "no database")
          assert.deepEqual(yield* listed, byFiles)
          yield* fs.remove(index)
          yield* database((db) => db.exec("CREATE TABLE threads (id TEXT)"))
          assert.deepEqual(yield* listed, byFiles)
        })
      )
  )

  it.live("I2: an index that is held by somebody for good is not waited for without end", () =>
    test(
      Effect.gen(function* () {
        const { index, listed } = yield* world
        const holding = yield* Effect.acquireRelease(
          Effect.sync(() => new DatabaseSync(index)),
          (db) => Effect.sync(() => db.close())
        )
        holding.exec(`CREATE TABLE threads (${columns}); BEGIN EXCLUSIVE`)
        assert.deepEqual(yield* listed, byFiles)
      })
    )
  )

  it.live("I2: rows whose rollout is gone, or that cannot be read, are counted", () =>
    test(
      Effect.gen(function* () {
        const { database, listed, pathOf } = yield* world
        const row = (n: number, path: string, at: string | number = 1_767_225_600) =>
          [idOf(n), path, "", "", `said in ${n}`, "/work", "cli", null, null, 0, at, at] as const
        yield* database((db) => {
          db.exec(`CREATE TABLE threads (${columns})`)
          const insert = db.prepare(`INSERT INTO threads VALUES (${"?,".repeat(11)}?)`)
          for (const values of [row(1, pathOf(1)), row(2, pathOf(2), "never"), row(9, "/nowhere")])
            insert.run(...values)
        })
        assert.deepEqual(yield* listed, { titles: ["said in 1"], unreadable: 2 })
      })
    )
  )

  it.live("I3: one is found by its file too, with what it was forked from", () =>
    test(
      Effect.gen(function* () {
        const { own } = yield* world
        const found = yield* own.find(idOf(2))
        assert.strictEqual(found._tag === "Some" ? found.value.session.title : "", "said in 2")
        assert.strictEqual((yield* own.find(idOf(8)))._tag, "None")
      })
    )
  )
})
