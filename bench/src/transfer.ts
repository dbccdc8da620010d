// `node bench/src/transfer.ts [items,…]`: a thread of so many items goes from one server to another: how long it takes,
// and how much the memory of each server grows at its highest.
import { NodeServices } from "@effect/platform-node"
import { ItemId, MessageId, ProviderSessionId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { now } from "@rejoin/contracts/Time"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import type { Piece } from "@rejoin/core/store/TranscriptStore"
import { hashOf, noHash } from "@rejoin/core/transcripts/TranscriptPieces"
import { makeWorld, type Server, type World } from "@rejoin/e2e/World"
import * as Database from "@rejoin/persistence/Database"
import * as SqlThreadStore from "@rejoin/persistence/SqlThreadStore"
import { bindingRecord, threadRecord, turnRecord } from "@rejoin/testkit/ThreadStoreSuite"
import { Console, Effect, Layer } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { report, took } from "./Measure.ts"

const sizes = (process.argv[2] ?? "100,10000").split(",").map(Number)
const id = ThreadId.make("thr_bench")
const session = ProviderSessionId.make("01234567-89ab-7def-8123-456789abcdef")
const file = `sessions/2026/01/01/rollout-2026-01-01T00-00-00-${session}.jsonl`
const itemsPerTurn = 10

/** In kB: the highest since it was asked for with `anew`. */
const highest = ({ pid }: Server) =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0)
const anew = ({ pid }: Server) => writeFileSync(`/proc/${pid}/clear_refs`, "5")

/** A thread of so many items of 2 kB, and an agent's record of 5 kB for each. */
const fill = (world: World, items: number) =>
  Effect.gen(function* () {
    const store = yield* ThreadStore
    const at = yield* now
    const base = { ...bindingRecord(id), instanceId: "codex" as never, driver: "codex" }
    const bound = { ...base, providerSessionId: session, prior: "some" as const, status: "stopped" as const }
    const thread = { ...threadRecord(id), provider: "codex" as never, driver: "codex", cwd: world.at("repo") }
    yield* store.insertThread(thread, bound)
    let from = 0
    let hash = noHash
    const head = {
      threadId: id,
      providerSessionId: session,
      driver: "codex",
      agentVersion: null,
      storeId: null,
      cwd: world.at("repo"),
      startedAt: at,
      mark: MessageId.make("msg_bench"),
      upToTurnId: null,
      position: null,
      at
    }
    for (let i = 0; i < items; i += itemsPerTurn) {
      const turnId = TurnId.make(`trn_bench${String(i).padStart(8, "0")}`)
      const turn = { ...turnRecord(turnId, id), status: "completed" as const, output: "x".repeat(500) }
      const line = new TextEncoder().encode(`${JSON.stringify({ i, text: "record ".repeat(7000) })}\n`)
      const piece: Piece = { file, from, data: line }
      from += line.length
      const before = i === 0 ? null : hash
      hash = yield* hashOf(hash, [piece])
      yield* store.transaction(
        Effect.gen(function* () {
          yield* store.saveTurn(turn)
          yield* store.saveItems(
            Array.from({ length: itemsPerTurn }, (_, j) => ({
              threadId: id,
              item: {
                id: ItemId.make(`item${i + j}`),
                turnId,
                kind: "command" as const,
                status: "completed" as const,
                command: `command ${i + j}`,
                output: "output ".repeat(280)
              }
            }))
          )
          yield* store.transcripts.append({ ...head, bytes: from, hash }, [piece], before)
        })
      )
    }
    return from
  }).pipe(
    Effect.provide(Layer.provideMerge(SqlThreadStore.layer, Database.layer(`${world.home}/rejoin.db`))),
    Effect.scoped
  )

const bench = (items: number) =>
  Effect.gen(function* () {
    const worlds = [yield* makeWorld({ agents: ["codex"] }), yield* makeWorld({ agents: ["codex"] })] as const
    // Each has its database; that of the first is filled while nobody works on it.
    const record = yield* Effect.gen(function* () {
      yield* (yield* worlds[0].start()).stop
      return yield* fill(worlds[0], items)
    })
    const [here, there] = [yield* worlds[0].start(), yield* worlds[1].start()]
    const authorization = ({ token }: Server) => ({ authorization: `Bearer ${token}` })
    const carry = Effect.promise(async () => {
      const from = await fetch(`${here.url}/api/threads/${id}/export`, { headers: authorization(here) })
      const cwd = encodeURIComponent(worlds[1].at("repo"))
      let bytes = 0
      const counted = from.body?.pipeThrough(
        new TransformStream<Uint8Array, Uint8Array>({
          transform: (chunk, controller) => {
            bytes += chunk.length
            controller.enqueue(chunk)
          }
        })
      )
      const request = {
        method: "POST",
        headers: { ...authorization(there), "content-type": "application/x-ndjson" },
        body: counted ?? null,
        duplex: "half"
      }
      const answer = await fetch(`${there.url}/api/threads/import?cwd=${cwd}`, request as RequestInit)
      if (answer.status !== 201) throw new Error(await answer.text())
      return bytes
    })
    for (const server of [here, there]) anew(server)
    const [first, second] = [highest(here), highest(there)]
    let bytes = 0
    const { whole } = yield* took(
      Effect.map(carry, (carried) => {
        bytes = carried
      })
    )
    const grown = { exporting: highest(here) - first, importing: highest(there) - second }
    yield* Console.log(
      `${String(items).padStart(6)} items, ${(record / 1e6).toFixed(1)} MB of record, ${(bytes / 1e6).toFixed(1)} MB carried in ${whole.toFixed(0)} ms · memory: + ${(grown.exporting / 1024).toFixed(0)} MB exporting, + ${(grown.importing / 1024).toFixed(0)} MB importing`
    )
    yield* report("transfer", { items, record, bytes, ms: whole, ...grown })
  }).pipe(Effect.scoped)

await Effect.runPromise(
  Effect.forEach(sizes, bench, { discard: true }).pipe(Effect.provide(NodeServices.layer))
)
