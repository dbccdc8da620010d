// `node bench/src/listing.ts [sessions]`: what it takes to list so many sessions of Claude's, which has no index of them: the
// first look, the next ones, one directory of them, and how much memory stays.
import { NodeServices } from "@effect/platform-node"
import { StoreId } from "@rejoin/contracts/Ids"
import { makeOwn } from "@rejoin/adapter-claude/ClaudeOwn"
import { Console, Effect, FileSystem } from "effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { report, took } from "./Measure.ts"

const size = Number(process.argv[2] ?? 10_000)
const directories = 100

const line = (session: string, i: number, cwd: string) =>
  `${JSON.stringify({
    type: i % 2 === 0 ? "user" : "assistant",
    uuid: `${session.slice(0, -4)}${String(i).padStart(4, "0")}`,
    parentUuid: i === 0 ? null : `${session.slice(0, -4)}${String(i - 1).padStart(4, "0")}`,
    isSidechain: false,
    promptSource: "sdk",
    cwd,
    sessionId: session,
    timestamp: "2026-01-01T00:00:00.000Z",
    message: { role: "user", content: [{ type: "text", text: `message ${i} `.repeat(40) }] }
  })}\n`

const bench = Effect.gen(function* () {
  const root = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "rejoin-bench-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true }))
  )
  for (let i = 0; i < size; i++) {
    const cwd = `/work/${i % directories}`
    const directory = join(root, "projects", `-work-${i % directories}`)
    mkdirSync(directory, { recursive: true })
    const session = `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`
    writeFileSync(
      join(directory, `${session}.jsonl`),
      Array.from({ length: 20 }, (_, j) => line(session, j, cwd)).join("")
    )
  }
  const own = makeOwn(yield* FileSystem.FileSystem, "claude", root, Effect.succeed(StoreId.make("bench")))
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  for (const [what, query] of [
    ["the first page", { limit: 50 }],
    ["one directory, for the first time", { cwd: "/work/7", limit: 50 }],
    ["the first page again", { limit: 50 }],
    ["one directory again", { cwd: "/work/8", limit: 50 }],
    ["the last page", { limit: 500, after: `00000000-0000-4000-8000-${String(600).padStart(12, "0")}` }]
  ] as const) {
    let found = 0
    const { whole } = yield* took(
      Effect.map(own.list(query), ({ items }) => {
        found = items.length
      })
    )
    yield* Console.log(`${size} sessions: ${what.padEnd(34)} ${whole.toFixed(0)} ms (${found})`)
    yield* report("listing", { size, what, ms: whole })
  }
  globalThis.gc?.()
  yield* Console.log(`memory: + ${((process.memoryUsage().rss - before) / 1e6).toFixed(0)} MB`)
}).pipe(Effect.scoped)

await Effect.runPromise(Effect.provide(bench, NodeServices.layer))
