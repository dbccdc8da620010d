import { assert, describe, it } from "@effect/vitest"
import {
  ItemId,
  MessageId,
  ProviderInstanceId,
  ProviderSessionId,
  RequestId,
  RuleId,
  StoreId,
  ThreadId,
  TurnId
} from "@rejoin/contracts/Ids"
import type { Rule } from "@rejoin/contracts/Rule"
import type { Item } from "@rejoin/contracts/Item"
import { termsOf } from "@rejoin/core/search/SearchText"
import type { SessionHeldElsewhere, StaleGeneration, StoreFailed } from "@rejoin/contracts/Errors"
import { Timestamp } from "@rejoin/contracts/Time"
import type { Binding, ThreadRecord, TurnRecord } from "@rejoin/core/store/Records"
import { type EventDraft, ThreadStore } from "@rejoin/core/store/ThreadStore"
import type { Piece, TranscriptHead } from "@rejoin/core/store/TranscriptStore"
import { hashOf, noHash } from "@rejoin/core/transcripts/TranscriptPieces"
import { Effect, Exit, type Layer, Option } from "effect"

const at = Timestamp.make("2026-01-01T00:00:00.000Z")
const later = Timestamp.make("2026-01-02T00:00:00.000Z")

export const threadRecord = (id: string, change: Partial<ThreadRecord> = {}): ThreadRecord => ({
  id: ThreadId.make(id),
  title: "a title",
  provider: ProviderInstanceId.make("memory"),
  driver: "memory",
  project: null,
  key: null,
  cwd: "/work",
  runtimeMode: "read-only",
  model: null,
  status: "idle",
  extraEnv: { A: "1" },
  additionalDirectories: ["/more"],
  usage: { inputTokens: 1, outputTokens: 2, costUsd: 0.5 },
  lastError: null,
  lastSeq: 0,
  createdAt: at,
  updatedAt: at,
  lastActivityAt: at,
  ...change
})

export const bindingRecord = (id: string, change: Partial<Binding> = {}): Binding => ({
  threadId: ThreadId.make(id),
  instanceId: ProviderInstanceId.make("memory"),
  driver: "memory",
  storeId: StoreId.make("store"),
  providerSessionId: null,
  cursor: null,
  cwd: "/work",
  mode: "read-only",
  model: null,
  status: "none",
  generation: 0,
  prior: "none",
  mark: null,
  resetRequested: false,
  terminal: null,
  moved: null,
  lastSeenAt: null,
  createdAt: at,
  updatedAt: at,
  ...change
})

const piece = (file: string, from: number, text: string) => ({
  file,
  from,
  data: new TextEncoder().encode(text)
})

const transcriptHead = (threadId: string, pieces: ReadonlyArray<Piece>) =>
  Effect.map(hashOf(noHash, pieces), (hash): TranscriptHead => ({
    threadId: ThreadId.make(threadId),
    providerSessionId: ProviderSessionId.make("s1"),
    driver: "memory",
    agentVersion: "1.0.0",
    storeId: null,
    cwd: "/work",
    startedAt: at,
    mark: null,
    upToTurnId: null,
    bytes: 1,
    hash,
    position: { a: 1 },
    at
  }))

export const turnRecord = (id: string, threadId: string, change: Partial<TurnRecord> = {}): TurnRecord => ({
  id: TurnId.make(id),
  threadId: ThreadId.make(threadId),
  status: "accepted",
  input: "hello",
  attachments: [],
  output: "",
  steers: [],
  delivery: null,
  error: null,
  idempotencyKey: null,
  messageId: null,
  generation: null,
  acceptedAt: at,
  startedAt: null,
  settledAt: null,
  ...change
})

const draft = (threadId: string, data: unknown): EventDraft => ({
  type: "warning",
  threadId: ThreadId.make(threadId),
  generation: 1,
  at,
  data
})

const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.exit(effect), (exit) =>
    Exit.isFailure(exit) ? Option.getOrUndefined(Exit.findErrorOption(exit))?._tag : "ok"
  )

const thread = ThreadId.make("t1")
const open = Effect.gen(function* () {
  const store = yield* ThreadStore
  yield* store.insertThread(threadRecord("t1"), bindingRecord("t1"))
  return store
})

/** What every ThreadStore must do. Each test gets a new one. */
export const threadStoreSuite = (name: string, layer: Layer.Layer<ThreadStore, StoreFailed>) =>
  describe(`ThreadStore: ${name}`, () => {
    const test = (
      title: string,
      body: Effect.Effect<void, StoreFailed | StaleGeneration | SessionHeldElsewhere, ThreadStore>
    ) => it.effect(title, () => body.pipe(Effect.provide(layer)))

    test(
      "keeps a thread as it was given; created_at survives every save (T7)",
      Effect.gen(function* () {
        const store = yield* open
        assert.deepEqual(Option.getOrThrow(yield* store.getThread(thread)), threadRecord("t1"))
        yield* store.saveThread(
          threadRecord("t1", { title: "other", createdAt: later, updatedAt: later, lastSeq: 99 })
        )
        const saved = Option.getOrThrow(yield* store.getThread(thread))
        assert.deepEqual(saved, threadRecord("t1", { title: "other", updatedAt: later }))
        yield* store.saveBinding(bindingRecord("t1", { createdAt: later, status: "ready" }))
        assert.strictEqual(Option.getOrThrow(yield* store.getBinding(thread)).createdAt, at)
        assert.isTrue(Option.isNone(yield* store.getThread(ThreadId.make("none"))))
      })
    )

    test(
      "finds a thread by its key, and refuses a second one with it (T1)",
      Effect.gen(function* () {
        const store = yield* ThreadStore
        const key = { agent: "a", external: "telegram:1" }
        yield* store.insertThread(threadRecord("t1", { key }), bindingRecord("t1"))
        assert.strictEqual(Option.getOrThrow(yield* store.findThread(key)).id, "t1")
        assert.isTrue(Option.isNone(yield* store.findThread({ ...key, agent: "b" })))
      })
    )

    test(
      "lists threads in pages and by project",
      Effect.gen(function* () {
        const store = yield* ThreadStore
        for (const id of ["t1", "t2", "t3"]) {
          yield* store.insertThread(
            threadRecord(id, { project: id === "t2" ? "p" : null }),
            bindingRecord(id)
          )
        }
        const ids = (page: Parameters<typeof store.listThreads>[0]) =>
          Effect.map(store.listThreads(page), (threads) => threads.map(({ id }) => id as string))
        assert.deepEqual(yield* ids({ limit: 2 }), ["t3", "t2"])
        assert.deepEqual(yield* ids({ limit: 2, after: "t2" }), ["t1"])
        assert.deepEqual(yield* ids({ limit: 9, project: "p" }), ["t2"])
        // One that is deleted while somebody turns the pages is still a place in the list.
        yield* store.deleteThread(ThreadId.make("t2"))
        assert.deepEqual(yield* ids({ limit: 2, after: "t2" }), ["t1"])
        assert.deepEqual(yield* ids({ limit: 2, after: "t0" }), [])
      })
    )

    test(
      "N4: a binding of an older generation is refused; the generation only grows",
      Effect.gen(function* () {
        const store = yield* open
        assert.strictEqual(yield* store.nextGeneration(thread), 1)
        assert.strictEqual(yield* tagOf(store.saveBinding(bindingRecord("t1"))), "StaleGeneration")
        assert.strictEqual(yield* tagOf(store.saveBinding(bindingRecord("t1", { generation: 1 }))), "ok")
        assert.strictEqual(
          yield* tagOf(store.saveBinding(bindingRecord("gone", { generation: 1 }))),
          "StaleGeneration"
        )
      })
    )

    test(
      "C2, law 5, E11: the cursor is kept as JSON, and one upstream session binds one thread",
      Effect.gen(function* () {
        const store = yield* open
        yield* store.insertThread(threadRecord("t2"), bindingRecord("t2"))
        const held = { providerSessionId: ProviderSessionId.make("s1"), cursor: { v: 1, deep: [null, "x"] } }
        yield* store.saveBinding(bindingRecord("t1", held))
        assert.deepEqual(Option.getOrThrow(yield* store.getBinding(thread)).cursor, held.cursor)
        assert.strictEqual(yield* tagOf(store.saveBinding(bindingRecord("t2", held))), "SessionHeldElsewhere")
        const elsewhere = { ...held, storeId: StoreId.make("other") }
        assert.strictEqual(yield* tagOf(store.saveBinding(bindingRecord("t2", elsewhere))), "ok")
        const { driver, storeId } = bindingRecord("t1", held)
        const session = { driver, storeId, providerSessionId: held.providerSessionId }
        assert.deepEqual(yield* store.findSession(session), Option.some(thread))
        const other = { ...session, providerSessionId: ProviderSessionId.make("s2") }
        assert.isTrue(Option.isNone(yield* store.findSession(other)))
        const nobodys = { ...session, providerSessionId: null }
        assert.isTrue(Option.isNone(yield* store.findSession(nobodys)))
      })
    )

    test(
      "those that are open in a terminal, and no others",
      Effect.gen(function* () {
        const store = yield* open
        yield* store.insertThread(threadRecord("t2"), bindingRecord("t2"))
        assert.deepEqual(yield* store.listTerminals, [])
        const begins = { assigned: ProviderSessionId.make("s1"), cwd: "/work", alone: true }
        const terminal = { id: "trm_1", program: "agent", reports: null, begins, at }
        yield* store.saveBinding(bindingRecord("t2", { terminal }))
        assert.deepEqual(
          (yield* store.listTerminals).map(({ terminal, threadId }) => ({ threadId, terminal })),
          [{ threadId: ThreadId.make("t2"), terminal }]
        )
      })
    )

    test(
      "turns that have not settled go behind all others, in their order",
      Effect.gen(function* () {
        const store = yield* open
        yield* store.saveTurn(turnRecord("u1", "t1"))
        yield* store.saveTurn(turnRecord("u2", "t1"))
        yield* store.saveTurn({ ...turnRecord("u3", "t1"), status: "completed" })
        yield* store.openTurnsLast(thread)
        const turns = yield* store.listTurns(thread, { limit: 10 })
        assert.deepEqual(
          turns.map(({ id }) => String(id)),
          ["u3", "u1", "u2"]
        )
        yield* store.openTurnsLast(thread, [TurnId.make("u2"), TurnId.make("u1")])
        assert.deepEqual(
          (yield* store.openTurns(thread)).map(({ id }) => String(id)),
          ["u2", "u1"]
        )
      })
    )

    test(
      "U1: turns that wait for their time are apart from those that wait for their turn, the first to begin first",
      Effect.gen(function* () {
        const store = yield* open
        const waits = (id: string, notBefore: string) =>
          turnRecord(id, "t1", { status: "deferred", notBefore: Timestamp.make(notBefore) })
        const [noon, one] = ["2026-06-01T12:00:00.000Z", "2026-06-01T13:00:00.000Z"]
        assert.isTrue(Option.isNone(yield* store.nextDue))
        yield* store.saveTurn(waits("u1", one))
        yield* store.saveTurn(waits("u2", noon))
        yield* store.saveTurn(turnRecord("u3", "t1"))
        const ids = (turns: ReadonlyArray<TurnRecord>) => turns.map(({ id }) => String(id))
        assert.deepEqual(ids(yield* store.openTurns("all")), ["u3"])
        assert.deepEqual(ids(yield* store.deferredTurns("all")), ["u2", "u1"])
        assert.deepEqual(ids(yield* store.deferredTurns({ threadId: thread })), ["u2", "u1"])
        assert.deepEqual(ids(yield* store.deferredTurns({ threadId: ThreadId.make("t2") })), [])
        assert.deepEqual(ids(yield* store.deferredTurns({ until: Timestamp.make(noon) })), ["u2"])
        assert.strictEqual(Option.getOrThrow(yield* store.nextDue), noon)
        yield* store.saveTurn(turnRecord("u2", "t1", { notBefore: Timestamp.make(noon) }))
        assert.strictEqual(Option.getOrThrow(yield* store.nextDue), one)
        yield* store.openTurnsLast(thread, [TurnId.make("u3"), TurnId.make("u2")])
        assert.deepEqual(ids(yield* store.listTurns(thread, { limit: 9 })), ["u1", "u3", "u2"])
      })
    )

    test(
      "the newest turn by its message",
      Effect.gen(function* () {
        const store = yield* open
        const [one, two] = [MessageId.make("m1"), MessageId.make("m2")]
        yield* store.saveTurn({ ...turnRecord("u1", "t1"), messageId: one })
        yield* store.saveTurn({ ...turnRecord("u2", "t1"), messageId: two })
        yield* store.saveTurn({ ...turnRecord("u3", "t1"), messageId: two })
        const found = (messageId: MessageId, id = thread) =>
          Effect.map(
            store.findMessage(id, messageId),
            Option.map((turn) => String(turn.id))
          )
        assert.deepEqual(yield* found(one), Option.some("u1"))
        assert.deepEqual(yield* found(two), Option.some("u3"))
        assert.isTrue(Option.isNone(yield* found(two, ThreadId.make("t2"))))
        assert.isTrue(Option.isNone(yield* found(MessageId.make("m3"))))
      })
    )

    test(
      "a start of the server stops what looks alive, and finds who asks",
      Effect.gen(function* () {
        const store = yield* open
        const names = ["t2", "t3", "t4"]
        for (const name of names) yield* store.insertThread(threadRecord(name), bindingRecord(name))
        yield* store.saveBinding(bindingRecord("t2", { status: "running" }))
        yield* store.saveBinding(bindingRecord("t3", { status: "stopped" }))
        yield* store.saveBinding(bindingRecord("t4", { status: "none" }))
        yield* store.stopBindings
        const statuses = yield* Effect.forEach(names, (name) =>
          Effect.map(store.getBinding(ThreadId.make(name)), (found) => Option.getOrThrow(found).status)
        )
        assert.deepEqual(statuses, ["stopped", "stopped", "none"])
        assert.deepEqual(yield* store.threadsAsking, [])
        const ask = { kind: "approval", permission: "edit", title: "x" } as const
        const turnId = TurnId.make("u1")
        for (const [id, threadId] of [
          ["r1", "t3"],
          ["r2", "t3"],
          ["r3", "t2"]
        ] as const) {
          yield* store.saveRequest({
            id: RequestId.make(id),
            threadId: ThreadId.make(threadId),
            turnId,
            openedAt: at,
            ask
          })
        }
        assert.deepEqual(
          yield* store.threadsAsking,
          ["t2", "t3"].map((id) => ThreadId.make(id))
        )
      })
    )

    test(
      "a transaction keeps all or nothing, also within another",
      Effect.gen(function* () {
        const store = yield* open
        const failing = store.transaction(
          Effect.gen(function* () {
            yield* store.saveTurn(turnRecord("u1", "t1"))
            yield* store.appendEvents([draft("t1", 1)])
            yield* store.nextGeneration(thread)
            return yield* Effect.fail("no" as const)
          })
        )
        assert.isTrue(Exit.isFailure(yield* Effect.exit(failing)))
        assert.lengthOf(yield* store.listTurns(thread, { limit: 9 }), 0)
        assert.strictEqual(Option.getOrThrow(yield* store.getThread(thread)).lastSeq, 0)
        yield* store.transaction(
          Effect.gen(function* () {
            yield* Effect.exit(failing)
            yield* store.saveTurn(turnRecord("u2", "t1"))
          })
        )
        assert.deepEqual(
          (yield* store.listTurns(thread, { limit: 9 })).map(({ id }) => id as string),
          ["u2"]
        )
        assert.strictEqual(Option.getOrThrow(yield* store.getBinding(thread)).generation, 0)
      })
    )

    test(
      "S8: seq counts within a thread and position over all; both strictly increase",
      Effect.gen(function* () {
        const store = yield* open
        yield* store.insertThread(threadRecord("t2"), bindingRecord("t2"))
        const first = yield* store.appendEvents([draft("t1", "a"), draft("t2", "b"), draft("t1", "c")])
        const second = yield* store.appendEvents([draft("t2", "d")])
        assert.deepEqual(
          [...first, ...second].map(({ seq }) => seq),
          [1, 1, 2, 2]
        )
        const positions = [...first, ...second].map(({ position }) => position)
        assert.deepEqual(
          positions,
          positions.toSorted((a, b) => a - b)
        )
        assert.strictEqual(yield* store.lastPosition, positions.at(-1))
        assert.deepEqual(yield* store.readEvents({ threadId: thread, afterSeq: 1 }, 9), first.slice(2))
        const after = { afterPosition: positions[1] ?? 0 }
        assert.deepEqual(
          (yield* store.readEvents(after, 1)).map(({ data }) => data),
          ["c"]
        )
        assert.strictEqual(Option.getOrThrow(yield* store.getThread(thread)).lastSeq, 2)
      })
    )

    test(
      "S17: a purge takes a thread's events and transcript, and no other's; seq and position go on",
      Effect.gen(function* () {
        const store = yield* open
        const second = ThreadId.make("t2")
        yield* store.insertThread(threadRecord("t2"), bindingRecord("t2"))
        yield* store.appendEvents([draft("t1", "a"), draft("t2", "b"), draft("t1", "c")])
        yield* store.transcripts.append(
          yield* transcriptHead("t1", [piece("a", 0, "x")]),
          [piece("a", 0, "x")],
          null
        )
        const kept = Effect.map(store.listThreads({ limit: 9, kept: true }), (threads) =>
          threads.map(({ id }) => id as string)
        )
        assert.deepEqual(yield* kept, ["t2", "t1"])
        yield* store.purgeThread(thread)
        assert.deepEqual(yield* kept, ["t2"], "the next purge has nothing to do there")
        assert.lengthOf(yield* store.readEvents({ threadId: thread, afterSeq: 0 }, 9), 0)
        assert.lengthOf(yield* store.readEvents({ threadId: second, afterSeq: 0 }, 9), 1)
        assert.isTrue(Option.isNone(yield* store.transcripts.get(thread)))
        const last = yield* store.lastPosition
        const next = yield* store.appendEvents([draft("t1", "d")])
        assert.deepInclude({ ...next[0] }, { seq: 3, position: last + 1 })
        assert.deepEqual(yield* kept, ["t2", "t1"])
        assert.deepEqual(yield* store.readEvents({ threadId: thread, afterSeq: 0 }, 9), next)
        assert.isTrue(Option.isSome(yield* store.getThread(thread)))
      })
    )

    test(
      "a batch of events larger than one statement takes is written whole",
      Effect.gen(function* () {
        const store = yield* open
        const events = yield* store.appendEvents(Array.from({ length: 2500 }, (_, i) => draft("t1", i)))
        assert.strictEqual(events.at(-1)?.seq, 2500)
        assert.lengthOf(yield* store.readEvents({ threadId: thread, afterSeq: 0 }, 5000), 2500)
      })
    )

    test(
      "turns: open ones, pages, and the keys of turns and steers",
      Effect.gen(function* () {
        const store = yield* open
        yield* store.saveTurn(turnRecord("u1", "t1", { idempotencyKey: "k1" }))
        yield* store.saveTurn(turnRecord("u2", "t1"))
        const steer = { input: "s", at, messageId: MessageId.make("m"), idempotencyKey: "k2" }
        yield* store.saveTurn(
          turnRecord("u1", "t1", { idempotencyKey: "k1", status: "completed", steers: [steer] })
        )
        const ids = (turns: ReadonlyArray<TurnRecord>) => turns.map(({ id }) => id as string)
        assert.deepEqual(ids(yield* store.openTurns(thread)), ["u2"])
        assert.deepEqual(ids(yield* store.openTurns("all")), ["u2"])
        assert.deepEqual(ids(yield* store.listTurns(thread, { limit: 1 })), ["u1"])
        assert.deepEqual(ids(yield* store.listTurns(thread, { limit: 9, after: "u1" })), ["u2"])
        for (const key of ["k1", "k2"])
          assert.strictEqual(Option.getOrThrow(yield* store.findTurn(thread, key)).id, "u1")
        assert.isTrue(Option.isNone(yield* store.findTurn(thread, "k3")))
        assert.isTrue(Option.isNone(yield* store.findTurn(ThreadId.make("t2"), "k1")))
      })
    )

    test(
      "items are replaced by id in their place and read from the end",
      Effect.gen(function* () {
        const store = yield* open
        const item = (id: string, text: string) => ({
          threadId: thread,
          item: {
            id: id as never,
            turnId: TurnId.make("u1"),
            kind: "reasoning" as const,
            status: "started" as const,
            text
          }
        })
        yield* store.saveItems([item("i1", "a"), item("i2", "b"), item("i3", "c")])
        yield* store.saveItems([item("i1", "A")])
        const texts = (page: { before?: string; limit: number }) =>
          Effect.map(store.listItems(thread, page as never), (items) => items.map(({ text }) => text))
        assert.deepEqual(yield* texts({ limit: 9 }), ["A", "b", "c"])
        assert.deepEqual(yield* texts({ limit: 2 }), ["b", "c"])
        assert.deepEqual(yield* texts({ limit: 9, before: "i3" }), ["A", "b"])
      })
    )

    test(
      "intents, lineage, requests and receipts are kept and forgotten as asked",
      Effect.gen(function* () {
        const store = yield* open
        const intent = {
          threadId: thread,
          generation: 1,
          instanceId: ProviderInstanceId.make("memory"),
          step: "begun",
          titleMark: "[t1]",
          cwd: "/work",
          created: [],
          at
        }
        yield* store.saveIntent(intent)
        yield* store.saveIntent({ ...intent, created: [ProviderSessionId.make("s1")] })
        assert.deepEqual(
          (yield* store.listIntents("ours")).map(({ created }) => created),
          [[ProviderSessionId.make("s1")]]
        )
        yield* store.deleteIntent(intent)
        assert.lengthOf(yield* store.listIntents("ours"), 0)

        const entry = { ...bindingRecord("t1"), reason: "reset", at }
        yield* store.addLineage({ ...entry, generation: 1 })
        yield* store.addLineage({ ...entry, generation: 2 })
        assert.deepEqual(
          (yield* store.listLineage(thread)).map(({ generation }) => generation),
          [1, 2]
        )

        const ask = { kind: "approval", permission: "edit", title: "x" } as const
        const id = RequestId.make("r1")
        yield* store.saveRequest({ id, threadId: thread, turnId: TurnId.make("u1"), openedAt: at, ask })
        assert.lengthOf(yield* store.listRequests(thread), 1)
        yield* store.deleteRequest(thread, id)
        assert.lengthOf(yield* store.listRequests(thread), 0)
      })
    )

    test(
      "W1, W9, W10: a transcript grows by pieces, byte for byte; anew takes the place of the old one; damage is told",
      Effect.gen(function* () {
        const store = yield* open
        const { append, get, read } = store.transcripts
        const first = [piece("a.jsonl", 0, "é\n"), piece("b", 0, "old")]
        const more = [piece("a.jsonl", 3, "2\n"), piece("b", 0, "new")]
        const texts = Effect.map(read(thread), (files) =>
          Object.fromEntries([...files].map(([file, data]) => [file, new TextDecoder().decode(data)]))
        )
        assert.isTrue(Option.isNone(yield* get(thread)))
        yield* append(yield* transcriptHead("t1", first), first, null)
        const head = yield* transcriptHead("t1", [...first, ...more])
        const { hash } = yield* transcriptHead("t1", first)
        yield* append(head, more, hash)
        // Whoever copied the same at the same time comes too late.
        yield* append(head, more, hash)
        assert.deepEqual(Option.getOrThrow(yield* get(thread)), head)
        assert.deepEqual(yield* texts, { "a.jsonl": "é\n2\n", b: "new" })
        const anew = [piece("c", 0, "all")]
        yield* append(yield* transcriptHead("t1", anew), anew, null)
        assert.deepEqual(yield* texts, { c: "all" })
        yield* append(yield* transcriptHead("t1", first), [], (yield* transcriptHead("t1", anew)).hash)
        assert.strictEqual(yield* tagOf(read(thread)), "StoreFailed")
        yield* append(yield* transcriptHead("gone", anew), anew, null)
        assert.isTrue(Option.isNone(yield* get(ThreadId.make("gone"))))
      })
    )

    test(
      "I6: what was said is found by words, phrases and beginnings, in any script; and goes with its thread",
      Effect.gen(function* () {
        const store = yield* open
        yield* store.insertThread(
          threadRecord("t2", { project: "p", provider: ProviderInstanceId.make("other") }),
          bindingRecord("t2")
        )
        const item = (id: string, change: Partial<Item>) => ({
          id: ItemId.make(id),
          turnId: TurnId.make("u1"),
          kind: "assistant-message" as const,
          status: "completed" as const,
          ...change
        })
        const said = [
          item("a", { text: "The quick brown fox jumps over Zürich" }),
          item("b", { text: "今日は日本語を話します" }),
          item("c", { kind: "command", command: "npm run quick-check", output: "everything passed" }),
          item("d", {
            kind: "file-change",
            changes: [{ path: "/src/Parser.ts", diff: "-const old = 1\n+const brandNew = 2" }]
          }),
          item("e", { kind: "tool-call", toolName: "search", toolInput: { query: "ภาษาไทย" } }),
          item("f", { text: "still being sa", status: "started" })
        ]
        yield* store.saveItems(said.map((item) => ({ threadId: thread, item })))
        yield* store.saveItems([
          { threadId: ThreadId.make("t2"), item: item("a", { text: "another quick fox" }) }
        ])
        const find = (q: string, of: { project?: string; provider?: string; thread?: string } = {}) =>
          Effect.map(store.search.find(termsOf(q), { ...of, skip: 0, limit: 50 }), (found) =>
            found.map(({ item, thread }) => `${thread.id}/${item.id}`).toSorted()
          )
        assert.deepEqual(yield* find("quick"), ["t1/a", "t1/c", "t2/a"])
        assert.deepEqual(yield* find("quick fox"), ["t1/a", "t2/a"])
        assert.deepEqual(yield* find('"quick fox"'), ["t2/a"])
        assert.deepEqual(yield* find("QUI*"), ["t1/a", "t1/c", "t2/a"])
        assert.deepEqual(yield* find("qui"), [])
        assert.deepEqual(yield* find("zurich"), ["t1/a"])
        assert.deepEqual(yield* find("日本"), ["t1/b"])
        assert.deepEqual(yield* find("本日"), [])
        assert.deepEqual(yield* find("ภาษา"), ["t1/e"])
        assert.deepEqual(yield* find("parser brandnew"), ["t1/d"])
        assert.deepEqual(yield* find("passed"), ["t1/c"])
        assert.deepEqual(yield* find("sa"), [])
        assert.deepEqual(yield* find("quick", { project: "p" }), ["t2/a"])
        assert.deepEqual(yield* find("quick", { provider: "memory" }), ["t1/a", "t1/c"])
        assert.deepEqual(yield* find("quick", { thread: "t2" }), ["t2/a"])
        for (const hostile of [
          '"',
          "*",
          'a" OR "b',
          "NEAR(a b)",
          "quick AND",
          "^fox",
          "text:fox",
          "'; --",
          "\0"
        ])
          yield* find(hostile)
        // What has gone on since is found as it is now.
        yield* store.saveItems([{ threadId: thread, item: item("f", { text: "finally said" }) }])
        yield* store.saveItems([{ threadId: thread, item: item("a", { text: "changed", undone: true }) }])
        assert.deepEqual(yield* find("finally"), ["t1/f"])
        assert.deepEqual(yield* find("brown"), [])
        assert.deepEqual(yield* find("changed"), ["t1/a"])
        const page = (skip: number) =>
          Effect.map(store.search.find(termsOf("quick"), { skip, limit: 1 }), (found) =>
            found.map(({ item, thread }) => `${thread.id}/${item.id}`)
          )
        assert.sameMembers([...(yield* page(0)), ...(yield* page(1))], ["t1/c", "t2/a"])
        assert.deepEqual(yield* page(2), [])
        yield* store.deleteThread(thread)
        assert.deepEqual(yield* find("quick"), ["t2/a"])
        assert.isFalse(yield* store.search.fill.pipe(Effect.repeat({ while: (more) => more })))
      })
    )

    test(
      "what attachments hold is kept once, and goes with the last turn that has it",
      Effect.gen(function* () {
        const store = yield* open
        yield* store.insertThread(threadRecord("t2"), bindingRecord("t2"))
        const other = ThreadId.make("t2")
        const held = (hash: string) => Effect.map(store.getBlob(hash), Option.getOrUndefined)
        for (const [turn, of] of [
          ["u1", "t1"],
          ["u2", "t2"]
        ] as const) {
          yield* store.saveTurn(turnRecord(turn, of))
          const id = TurnId.make(turn)
          yield* store.saveBlobs(id, [
            { hash: "both", data: "AAAA" },
            { hash: turn, data: "BBBB" }
          ])
          yield* store.saveBlobs(id, [{ hash: "both", data: "AAAA" }])
        }
        yield* store.purgeThread(thread)
        assert.deepEqual(
          [yield* held("both"), yield* held("u1"), yield* held("u2")],
          ["AAAA", undefined, "BBBB"]
        )
        assert.isTrue(Option.isSome(yield* store.getTurn(TurnId.make("u1"))))
        yield* store.deleteThread(other)
        assert.deepEqual([yield* held("both"), yield* held("u2")], [undefined, undefined])
      })
    )

    test(
      "what was trusted is kept by its path, replaced and forgotten",
      Effect.gen(function* () {
        const store = yield* open
        const directory = (path: string, hash: string) => ({
          path,
          found: [{ agent: "memory", file: `${path}/.agent`, what: "hooks", hash }],
          trustedAt: at
        })
        const paths = Effect.map(store.listTrusted, (all) => all.map(({ path }) => path).toSorted())
        assert.isTrue(Option.isNone(yield* store.getTrusted("/a")))
        yield* store.saveTrusted(directory("/a", "1"))
        yield* store.saveTrusted(directory("/b", "1"))
        yield* store.saveTrusted(directory("/a", "2"))
        assert.deepEqual(yield* store.getTrusted("/a"), Option.some(directory("/a", "2")))
        assert.deepEqual(yield* paths, ["/a", "/b"])
        yield* store.deleteTrusted("/a")
        assert.deepEqual(yield* paths, ["/b"])
      })
    )

    test(
      "U4: rules, of a thread and of a project; those of a deleted thread are gone",
      Effect.gen(function* () {
        const store = yield* open
        const rule = (id: string, scope: Rule["scope"]): Rule => ({
          id: RuleId.make(id),
          scope,
          tool: "bash",
          pattern: "npm test",
          decision: "accept",
          createdAt: at
        })
        const own = rule("r1", { thread })
        const shared = rule("r2", { project: "p" })
        for (const each of [own, shared, rule("r3", { project: "q" })]) yield* store.rules.save(each)
        assert.deepEqual(yield* store.rules.list({ thread, project: "p" }), [own, shared])
        assert.deepEqual(yield* store.rules.list({ thread, project: null }), [own])
        assert.lengthOf(yield* store.rules.list(), 3)
        assert.isTrue(yield* store.rules.remove(shared.id))
        assert.isFalse(yield* store.rules.remove(shared.id))
        yield* store.deleteThread(thread)
        assert.deepEqual(
          (yield* store.rules.list()).map(({ id }) => id),
          [RuleId.make("r3")]
        )
      })
    )

    test(
      "a deleted thread takes all that hangs on it along",
      Effect.gen(function* () {
        const store = yield* open
        yield* store.saveTurn(turnRecord("u1", "t1"))
        yield* store.appendEvents([draft("t1", 1)])
        yield* store.deleteThread(thread)
        assert.isTrue(Option.isNone(yield* store.getThread(thread)))
        assert.isTrue(Option.isNone(yield* store.getBinding(thread)))
        assert.lengthOf(yield* store.openTurns("all"), 0)
        assert.lengthOf(yield* store.readEvents({ threadId: thread, afterSeq: 0 }, 9), 0)
        // That it is gone is told, also to who was away.
        const [gone] = yield* store.appendEvents([
          { type: "thread.deleted", threadId: thread, seq: 2, generation: 0, at, data: {} }
        ])
        yield* store.insertThread(threadRecord("t2"), bindingRecord("t2"))
        const [next] = yield* store.appendEvents([draft("t2", 1)])
        assert.strictEqual(next?.position, (gone?.position ?? 0) + 1)
        const told = yield* store.readEvents({ afterPosition: (gone?.position ?? 0) - 1 }, 9)
        assert.deepEqual(
          told.map(({ position, seq, type }) => ({ position, seq, type })),
          [
            { position: gone?.position, seq: 2, type: "thread.deleted" },
            { position: next?.position, seq: 1, type: next?.type }
          ]
        )
      })
    )
  })
