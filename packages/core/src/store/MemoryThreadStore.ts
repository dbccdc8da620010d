import { SessionHeldElsewhere, StaleGeneration } from "@rejoin/contracts/Errors"
import type { ReceiptId, RequestId, RuleId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { Item } from "@rejoin/contracts/Item"
import type { Receipt } from "@rejoin/contracts/Receipt"
import type { PendingRequest } from "@rejoin/contracts/Request"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import type { Rule } from "@rejoin/contracts/Rule"
import type { TrustedDirectory } from "@rejoin/contracts/Trust"
import { isOpen } from "@rejoin/contracts/Turn"
import { Context, Effect, Exit, Layer, Option, Semaphore, Stream } from "effect"
import type { Binding, LineageEntry, StartIntent, ThreadRecord, TurnRecord } from "./Records.ts"
import { alone, nothingElsewhere } from "./Ownership.ts"
import { type EventDraft, ThreadStore } from "./ThreadStore.ts"
import { spaced, type Term, textOf } from "../search/SearchText.ts"
import { filesOf, noHash } from "../transcripts/TranscriptPieces.ts"
import type { Piece, TranscriptHead } from "./TranscriptStore.ts"

/** A map whose changes can be taken back: each writes its inverse into the open transaction. */
class Table<K, V> {
  readonly rows = new Map<K, V>()
  readonly undo: () => Array<() => void>

  constructor(undo: () => Array<() => void>) {
    this.undo = undo
  }

  get(key: K): V | undefined {
    return this.rows.get(key)
  }

  set(key: K, value: V): void {
    const before = this.rows.get(key)
    const existed = this.rows.has(key)
    this.rows.set(key, value)
    this.undo().push(() => (existed ? this.rows.set(key, before as V) : this.rows.delete(key)))
  }

  delete(key: K): void {
    if (!this.rows.has(key)) return
    const entries = [...this.rows]
    this.rows.delete(key)
    // Written back whole: a row that is only set again would lose its place in the order.
    this.undo().push(() => {
      this.rows.clear()
      for (const [key, value] of entries) this.rows.set(key, value)
    })
  }

  values(where: (value: V) => boolean = () => true): Array<V> {
    return [...this.rows.values()].filter(where)
  }
}

const InTransaction = Context.Reference<boolean>("@rejoin/core/MemoryThreadStore/InTransaction", {
  defaultValue: () => false
})

const make = Effect.sync(() => {
  let log: Array<() => void> = []
  const table = <K, V>() => new Table<K, V>(() => log)
  const threads = table<ThreadId, ThreadRecord>()
  const bindings = table<ThreadId, Binding>()
  const lineage = table<string, LineageEntry>()
  const intents = table<string, StartIntent>()
  const turns = table<TurnId, TurnRecord>()
  const deferred = () =>
    turns
      .values(({ status }) => status === "deferred")
      .toSorted((a, b) => (a.notBefore ?? "").localeCompare(b.notBefore ?? ""))
  const items = new Map<ThreadId, Table<string, Item>>()
  const requests = table<string, PendingRequest>()
  const blobs = table<string, string>()
  const blobsOfTurns = table<TurnId, ReadonlySet<string>>()
  const receipts = table<ReceiptId, Receipt>()
  const transcripts = table<
    ThreadId,
    { readonly head: TranscriptHead; readonly pieces: ReadonlyArray<Piece> }
  >()
  const trusted = table<string, TrustedDirectory>()
  const rules = table<RuleId, Rule>()
  // Append-only, so a length is all that a roll-back needs.
  let events: Array<RuntimeEvent> = []
  let last = 0
  const byThread = new Map<ThreadId, Array<RuntimeEvent>>()

  const lock = Semaphore.makeUnsafe(1)
  const exclusive = <A, E, R>(body: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(InTransaction, (inside) => (inside ? body : lock.withPermit(body)))

  const transaction = <A, E, R>(body: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    exclusive(
      Effect.suspend(() => {
        const outer = log
        const own: Array<() => void> = []
        log = own
        return body.pipe(
          Effect.provideService(InTransaction, true),
          Effect.onExit((exit) =>
            Effect.sync(() => {
              log = outer
              if (Exit.isSuccess(exit)) outer.push(...own)
              else for (const inverse of own.reverse()) inverse()
            })
          )
        )
      })
    )

  /** One operation outside a transaction: its inverses are not needed. */
  const run = <A, E = never>(body: () => A | Effect.Effect<A, E>): Effect.Effect<A, E> =>
    exclusive(
      Effect.gen(function* () {
        const inside = yield* InTransaction
        if (!inside) log = []
        const result = body()
        return Effect.isEffect(result) ? yield* result : result
      })
    )

  const after = <A>(
    rows: ReadonlyArray<A>,
    id: (row: A) => string,
    page: { after?: string | undefined; limit: number }
  ) => {
    const start = page.after === undefined ? 0 : rows.findIndex((row) => id(row) === page.after) + 1
    return rows.slice(start, start + page.limit)
  }

  const forget = <V>(of: Map<ThreadId, V>, id: ThreadId) => {
    const before = of.get(id)
    if (before === undefined) return
    of.delete(id)
    log.push(() => of.set(id, before))
  }

  /** Of turns of a thread that goes: what no other turn has goes with them. */
  const forgetBlobs = (id: ThreadId) => {
    for (const turn of turns.values((row) => row.threadId === id)) {
      const own = blobsOfTurns.get(turn.id) ?? []
      blobsOfTurns.delete(turn.id)
      for (const hash of own)
        if (blobsOfTurns.values((hashes) => hashes.has(hash)).length === 0) blobs.delete(hash)
    }
  }

  const append = (draft: EventDraft): RuntimeEvent => {
    const thread = threads.get(draft.threadId)
    const event = { ...draft, seq: draft.seq ?? (thread?.lastSeq ?? 0) + 1, position: ++last }
    if (thread) threads.set(thread.id, { ...thread, lastSeq: event.seq })
    const own = byThread.get(draft.threadId) ?? []
    byThread.set(draft.threadId, own)
    events.push(event)
    own.push(event)
    log.push(() => {
      events.pop()
      own.pop()
      last--
    })
    return event
  }

  return ThreadStore.of({
    durable: Effect.void,
    transaction,
    lock: () => Effect.succeed(nothingElsewhere),
    insertThread: (thread, binding) =>
      run(() => {
        threads.set(thread.id, thread)
        bindings.set(thread.id, binding)
      }),
    getThread: (id) => run(() => Option.fromUndefinedOr(threads.get(id))),
    findThread: (key) =>
      run(() =>
        Option.fromUndefinedOr(
          threads.values((row) => row.key?.agent === key.agent && row.key.external === key.external)[0]
        )
      ),
    listThreads: (page) =>
      run(() =>
        // One that was deleted since is still a place in the list: ids are in the order of time.
        after(
          threads
            .values(
              ({ id, project }) =>
                (page.project === undefined || project === page.project) &&
                (page.kept === undefined || byThread.has(id)) &&
                (page.after === undefined ||
                  threads.get(page.after as ThreadId) !== undefined ||
                  id < page.after)
            )
            .reverse(),
          (row) => row.id,
          page
        )
      ),
    saveThread: (thread) =>
      run(() => {
        const before = threads.get(thread.id)
        if (before)
          threads.set(thread.id, { ...thread, lastSeq: before.lastSeq, createdAt: before.createdAt })
      }),
    purgeThread: (id) =>
      run(() => {
        transcripts.delete(id)
        forgetBlobs(id)
        const all = events
        events = events.filter((event) => event.threadId !== id)
        log.push(() => {
          events = all
        })
        forget(byThread, id)
      }),
    deleteThread: (id) =>
      run(() => {
        threads.delete(id)
        bindings.delete(id)
        forget(items, id)
        transcripts.delete(id)
        forgetBlobs(id)
        for (const turn of turns.values((row) => row.threadId === id)) turns.delete(turn.id)
        for (const row of receipts.values((row) => row.threadId === id)) receipts.delete(row.id)
        for (const { id: rule, scope } of rules.values())
          if ("thread" in scope && scope.thread === id) rules.delete(rule)
        for (const [key, row] of lineage.rows) if (row.threadId === id) lineage.delete(key)
        for (const row of requests.values((row) => row.threadId === id)) requests.delete(`${id}/${row.id}`)
        forget(byThread, id)
      }),
    findSession: ({ driver, providerSessionId, storeId }) =>
      run(() =>
        Option.fromUndefinedOr(
          bindings.values(
            (row) =>
              row.driver === driver &&
              row.storeId === storeId &&
              row.providerSessionId === providerSessionId &&
              providerSessionId !== null
          )[0]?.threadId
        )
      ),
    getBinding: (id) => run(() => Option.fromUndefinedOr(bindings.get(id))),
    listTerminals: run(() => bindings.values(({ terminal }) => terminal !== null)),
    stopBindings: run(() => {
      for (const binding of bindings.values()) {
        if (binding.status !== "none") bindings.set(binding.threadId, { ...binding, status: "stopped" })
      }
    }),
    nextGeneration: (id) =>
      run(() => {
        const binding = bindings.get(id)
        if (binding === undefined) return 0
        bindings.set(id, { ...binding, generation: binding.generation + 1 })
        return binding.generation + 1
      }),
    saveBinding: (binding) =>
      run((): Effect.Effect<void, StaleGeneration | SessionHeldElsewhere> => {
        const stored = bindings.get(binding.threadId)
        if (stored === undefined || stored.generation !== binding.generation) {
          return Effect.fail(staleGeneration(binding))
        }
        const taken = bindings.values(
          (row) =>
            row.threadId !== binding.threadId &&
            row.providerSessionId !== null &&
            row.driver === binding.driver &&
            row.storeId === binding.storeId &&
            row.providerSessionId === binding.providerSessionId
        )
        if (taken.length > 0) return Effect.fail(sessionTaken(binding))
        bindings.set(binding.threadId, { ...binding, createdAt: stored.createdAt })
        return Effect.void
      }),
    addLineage: (entry) => run(() => lineage.set(`${entry.threadId}/${entry.generation}`, entry)),
    listLineage: (id) => run(() => lineage.values((row) => row.threadId === id)),
    saveIntent: (intent) => run(() => intents.set(`${intent.threadId}/${intent.generation}`, intent)),
    deleteIntent: (intent) => run(() => intents.delete(`${intent.threadId}/${intent.generation}`)),
    listIntents: (of) => run(() => intents.values((row) => of === "ours" || row.threadId === of)),
    saveTurn: (turn) => run(() => turns.set(turn.id, turn)),
    openTurnsLast: (threadId, order = []) =>
      run(() => {
        const open = turns.values((row) => row.threadId === threadId && isOpen(row.status))
        const placeOf = ({ id }: TurnRecord) => order.indexOf(id)
        for (const turn of open.toSorted((a, b) => placeOf(a) - placeOf(b))) {
          turns.delete(turn.id)
          turns.set(turn.id, turn)
        }
      }),
    getTurn: (id) => run(() => Option.fromUndefinedOr(turns.get(id))),
    findTurn: (threadId, key) =>
      run(() =>
        Option.fromUndefinedOr(
          turns.values(
            (row) =>
              row.threadId === threadId &&
              (row.idempotencyKey === key || row.steers.some((steer) => steer.idempotencyKey === key))
          )[0]
        )
      ),
    findMessage: (threadId, messageId) =>
      run(() =>
        Option.fromUndefinedOr(
          turns.values((row) => row.threadId === threadId && row.messageId === messageId).at(-1)
        )
      ),
    listTurns: (threadId, page) =>
      run(() =>
        after(
          turns.values((row) => row.threadId === threadId),
          (row) => row.id,
          page
        )
      ),
    openTurns: (of) =>
      run(() =>
        turns.values((row) => isOpen(row.status) && (of === "ours" || of === "all" || row.threadId === of))
      ),
    deferredTurns: (of) =>
      run(() =>
        deferred().filter((row) => {
          if (of === "all") return true
          return "until" in of ? (row.notBefore ?? "") <= of.until : row.threadId === of.threadId
        })
      ),
    nextDue: run(() => Option.fromUndefinedOr(deferred()[0]?.notBefore)),
    saveBlobs: (turnId, added) =>
      run(() => {
        for (const { data, hash } of added) blobs.set(hash, data)
        const hashes = added.map(({ hash }) => hash)
        blobsOfTurns.set(turnId, new Set([...(blobsOfTurns.get(turnId) ?? []), ...hashes]))
      }),
    getBlob: (hash) => run(() => Option.fromUndefinedOr(blobs.get(hash))),
    appendEvents: (drafts) => run(() => drafts.map(append)),
    readEvents: (from, limit) =>
      run(() => {
        const isAfter = (event: RuntimeEvent) =>
          "afterPosition" in from ? event.position > from.afterPosition : event.seq > from.afterSeq
        const own = "afterPosition" in from ? events : (byThread.get(from.threadId) ?? [])
        const start = own.findLastIndex((event) => !isAfter(event)) + 1
        return own.slice(start, start + limit)
      }),
    lastPosition: run(() => last),
    heard: Stream.never,
    saveItems: (rows) =>
      run(() => {
        for (const { item, threadId } of rows) {
          if (threads.get(threadId) === undefined) continue
          const own = items.get(threadId) ?? table<string, Item>()
          items.set(threadId, own)
          own.set(item.id, item)
        }
      }),
    listItems: (threadId, page) =>
      run(() => {
        const all = items.get(threadId)?.values() ?? []
        if ("after" in page) {
          const start = all.findIndex((item) => item.id === page.after) + 1
          return all.slice(start, start + page.limit)
        }
        const end = page.before === undefined ? all.length : all.findIndex((item) => item.id === page.before)
        return all.slice(Math.max(0, end - page.limit), Math.max(0, end))
      }),
    saveRequest: (request) => run(() => requests.set(`${request.threadId}/${request.id}`, request)),
    deleteRequest: (threadId: ThreadId, id: RequestId) => run(() => requests.delete(`${threadId}/${id}`)),
    listRequests: (threadId) => run(() => requests.values((row) => row.threadId === threadId)),
    threadsAsking: run(() => [...new Set(requests.values().map(({ threadId }) => threadId))].toSorted()),
    saveReceipt: (receipt) => run(() => receipts.set(receipt.id, receipt)),
    getReceipt: (id) => run(() => Option.fromUndefinedOr(receipts.get(id))),
    listReceipts: (threadId, page) =>
      run(() => {
        const own = receipts.values((row) => row.threadId === threadId)
        return after(page.first === "oldest" ? own : own.reverse(), (row) => row.id, page)
      }),
    transcripts: {
      get: (threadId) => run(() => Option.fromUndefinedOr(transcripts.get(threadId)?.head)),
      append: (head, pieces, after) =>
        run(() => {
          if (threads.get(head.threadId) === undefined) return
          const before = transcripts.get(head.threadId)
          if (after !== null && before?.head.hash !== after) return
          const kept = after === null ? [] : (before?.pieces ?? [])
          transcripts.set(head.threadId, { head, pieces: [...kept, ...pieces] })
        }),
      pieces: (threadId) => Stream.suspend(() => Stream.fromArray(transcripts.get(threadId)?.pieces ?? [])),
      read: (threadId) =>
        Effect.flatMap(
          run(() => transcripts.get(threadId)),
          (held) => filesOf(held?.pieces ?? [], held?.head.hash ?? noHash)
        )
    },
    ownership: alone,
    search: {
      fill: Effect.succeed(false),
      find: (terms, { limit, project, provider, skip, thread: only }) =>
        run(() =>
          threads
            .values(
              (thread) =>
                (project === undefined || thread.project === project) &&
                (provider === undefined || thread.provider === provider) &&
                (only === undefined || thread.id === only)
            )
            .flatMap((thread) =>
              (items.get(thread.id)?.values() ?? [])
                .filter((item) => item.status !== "started" && fits(textOf(item), terms))
                .map((item) => ({ thread, item }))
            )
            .reverse()
            .slice(skip, skip + limit)
        )
    },
    saveTrusted: (directory) => run(() => trusted.set(directory.path, directory)),
    getTrusted: (path) => run(() => Option.fromUndefinedOr(trusted.get(path))),
    listTrusted: run(() => trusted.values()),
    deleteTrusted: (path) => run(() => trusted.delete(path)),
    rules: {
      save: (rule) => run(() => rules.set(rule.id, rule)),
      list: (of) =>
        run(() =>
          rules.values(
            ({ scope }) =>
              of === undefined ||
              ("thread" in scope ? scope.thread === of.thread : scope.project === of.project)
          )
        ),
      remove: (id) =>
        run(() => {
          const was = rules.get(id) !== undefined
          rules.delete(id)
          return was
        })
    }
  })
})

/** Without an index: whole words, of any case. */
const fits = (text: string, terms: ReadonlyArray<Term>): boolean => {
  const words = (of: string) =>
    ` ${spaced(of)
      .toLowerCase()
      .normalize("NFD")
      .replace(/\p{M}/gu, "")
      .replace(/[^\p{L}\p{N}]+/gu, " ")
      .trim()} `
  const all = words(text)
  return terms.every((term) => all.includes(term.prefix ? words(term.words).trimEnd() : words(term.words)))
}

/** The refusal of a write of an older generation. Every store gives the same. */
export const staleGeneration = (binding: Binding) =>
  new StaleGeneration({
    threadId: binding.threadId,
    generation: binding.generation,
    message: "A later start of this thread has happened meanwhile.",
    hint: "Read the thread again."
  })

/** The refusal of a second thread on one upstream session (law 5). Every store gives the same. */
export const sessionTaken = (binding: Binding) =>
  new SessionHeldElsewhere({
    providerSessionId: binding.providerSessionId,
    message: "This provider session already belongs to another thread."
  })

/** A ThreadStore that lives as long as its layer: for tests, and for those who embed the core without a database. */
export const layerMemory: Layer.Layer<ThreadStore> = Layer.effect(ThreadStore, make)
