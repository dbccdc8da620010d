import * as E from "@rejoin/contracts/Errors"
import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { now } from "@rejoin/contracts/Time"
import { Effect, Option, Result, Stream } from "effect"
import type { Header, Line } from "../bundle/Bundle.ts"
import { BundleCheck } from "../bundle/BundleCheck.ts"
import { invalid, linesOf, parseLine } from "../bundle/BundleLines.ts"
import { BundleSpool } from "../bundle/BundleSpool.ts"
import { type Emit, ThreadEvents } from "../events/ThreadEvents.ts"
import type { ProviderAdapterShape } from "../providers/ProviderAdapter.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import { SessionEnd } from "../sessions/SessionEnd.ts"
import { Settings } from "../Settings.ts"
import type { Binding, ThreadRecord } from "../store/Records.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { Threads } from "../threads/Threads.ts"
import { WorkingDirectory } from "../threads/WorkingDirectory.ts"
import { makeTransition } from "./Transition.ts"

interface Into {
  readonly cwd?: string | undefined
  readonly provider?: string | undefined
}

/** What is to be here: the rows that the header becomes, and what of it could not be kept. */
interface Arriving {
  readonly thread: ThreadRecord
  readonly binding: Binding
  readonly left: ReadonlyArray<string>
}

const page = 500

/** A thread comes in from elsewhere: laid down, checked whole, and only then written, in one transaction. */
export const makeImport = Effect.gen(function* () {
  const sessions = yield* LiveSessions
  const ending = yield* SessionEnd
  const registry = yield* ProviderRegistry
  const directories = yield* WorkingDirectory
  const events = yield* ThreadEvents
  const store = yield* ThreadStore
  const threads = yield* Threads
  const spools = yield* BundleSpool
  const { transcripts } = yield* Settings
  const { idle } = yield* makeTransition

  const receive = Effect.fnUntraced(function* <Err, R>(bundle: Stream.Stream<Uint8Array, Err, R>) {
    const spool = yield* spools.open
    const adapters = yield* registry.list
    const check = new BundleCheck({
      transcriptBytes: transcripts.maxBytes,
      isRecord: (driver, file, sessionId) =>
        adapters.find((adapter) => adapter.driver === driver)?.isRecord?.(file, sessionId) === true
    })
    let at = 0
    yield* Stream.tap(bundle, spool.write).pipe(
      linesOf,
      Stream.runForEach((text) =>
        Effect.gen(function* () {
          at++
          const wrong = yield* check.take(yield* Effect.fromResult(parseLine(text, at)), text)
          if (wrong !== undefined) return yield* invalid(wrong, at)
        })
      )
    )
    if (!check.isWhole || check.header === undefined) {
      return yield* invalid(at === 0 ? "there is nothing in it" : "its end is missing", null)
    }
    return { spool, check, header: check.header }
  })

  /** Ours stays where it has a turn that is not in the bundle, or was started since. */
  const compare = Effect.fnUntraced(function* (
    ours: Binding,
    { session, thread }: Header,
    turns: ReadonlySet<TurnId>
  ) {
    const exists = (message: string, hint: string) =>
      new E.ThreadExists({ threadId: thread.id, message, hint })
    let count = 0
    for (let after: TurnId | undefined; ;) {
      const found = yield* store.listTurns(thread.id, { after, limit: page })
      if (found.some(({ id }) => !turns.has(id))) {
        return yield* exists(
          "This thread is here already, and turns of it are not in what is imported.",
          "Nothing was changed, and nothing is ever merged. What is here goes on as it is."
        )
      }
      count += found.length
      after = found.at(-1)?.id
      if (found.length < page) break
    }
    const isOlder = count === turns.size && session.generation < ours.generation && ours.moved === null
    if (isOlder) {
      return yield* exists("This thread is here already, and ours is newer.", "Nothing was changed.")
    }
  })

  const adapterFor = Effect.fnUntraced(function* ({ thread }: Header, { provider }: Into) {
    const adapter = yield* registry.get((provider ?? thread.provider) as ThreadRecord["provider"])
    if (adapter.driver === thread.driver) return adapter
    return yield* new E.InvalidInput({
      field: "provider",
      message: `The conversation is one of ${thread.driver}, and ${adapter.id} is ${adapter.driver} here.`,
      hint: "Name a provider of that agent. It can be handed over to another one afterwards."
    })
  })

  const arriving = Effect.fnUntraced(function* (header: Header, adapter: ProviderAdapterShape, into: Into) {
    const { session, thread, variables } = header
    const cwd = yield* directories.admit(into.cwd ?? thread.cwd)
    const beside = yield* Effect.forEach(thread.additionalDirectories, (path) =>
      Effect.map(Effect.option(directories.admit(path)), (real) => ({ path, real }))
    )
    const taken =
      thread.key === null
        ? false
        : Option.exists(yield* store.findThread(thread.key), ({ id }) => id !== thread.id)
    const at = yield* now
    const rows: Arriving = {
      thread: {
        ...thread,
        provider: adapter.id,
        cwd,
        key: taken ? null : thread.key,
        additionalDirectories: beside.flatMap(({ real }) => Option.toArray(real)),
        extraEnv: {},
        updatedAt: at
      },
      binding: {
        ...session,
        threadId: thread.id,
        instanceId: adapter.id,
        driver: adapter.driver,
        // It leads to another machine's store: here the session is restored from what came along.
        storeId: null,
        cursor: null,
        status: session.providerSessionId === null ? "none" : "stopped",
        terminal: null,
        moved: null,
        lastSeenAt: null,
        createdAt: thread.createdAt,
        updatedAt: at
      },
      left: [
        ...variables.map((name) => `the variable ${name}`),
        ...beside.flatMap(({ path, real }) => (Option.isNone(real) ? [`the directory ${path}`] : [])),
        ...(taken && thread.key ? [`the key ${thread.key.external}, which another thread has here`] : [])
      ]
    }
    return rows
  })

  /** One after the other, as they were laid down; what is of another thread here is refused. */
  const write = Effect.fnUntraced(function* (line: Line, threadId: ThreadId) {
    const foreign = (of: Option.Option<{ readonly threadId: ThreadId }>) =>
      Option.exists(of, (row) => row.threadId !== threadId)
    switch (line.kind) {
      case "turn":
        if (foreign(yield* store.getTurn(line.turn.id)))
          return yield* invalid("a turn of it is one of another thread here", null)
        return yield* store.saveTurn(line.turn)
      case "blob":
        return yield* store.saveBlobs(line.turnId, [line])
      case "item":
        return yield* store.saveItems([{ threadId, item: line.item }])
      case "receipt":
        if (foreign(yield* store.getReceipt(line.receipt.id)))
          return yield* invalid("a receipt of it is one of another thread here", null)
        return yield* store.saveReceipt(line.receipt)
      case "lineage":
        return yield* store.addLineage(line.entry)
      default:
        return undefined
    }
  })

  return <Err, R>(bundle: Stream.Stream<Uint8Array, Err, R>, into: Into = {}) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { check, header, spool } = yield* receive(bundle)
        const { id } = header.thread
        const adapter = yield* adapterFor(header, into)
        const rows = yield* arriving(header, adapter, into)

        const replace = Effect.fnUntraced(function* (emit: Emit) {
          // One that was accepted meanwhile is not lost with what is replaced.
          yield* idle(id)
          const ours = Option.getOrUndefined(yield* store.getThread(id))
          const generation = Option.getOrUndefined(yield* store.getBinding(id))?.generation ?? 0
          if (ours !== undefined) yield* store.deleteThread(id)
          // Readers go on from the number that they know, and writers of what was here are refused.
          const lastSeq = Math.max(rows.thread.lastSeq, ours?.lastSeq ?? 0)
          yield* store.insertThread(
            { ...rows.thread, lastSeq },
            { ...rows.binding, generation: Math.max(rows.binding.generation, generation) }
          )
          const { transcript } = check
          let before: string | null = null
          yield* linesOf(spool.read).pipe(
            Stream.runForEach((text) =>
              Effect.gen(function* () {
                const line = Result.getOrUndefined(parseLine(text, 0))
                if (line === undefined) return yield* invalid("it cannot be read again", null)
                if (line.kind !== "piece") return yield* write(line, id)
                if (transcript === undefined) return
                yield* store.transcripts.append(transcript, [line], before)
                before = transcript.hash
              })
            )
          )
          emit({
            type: "thread.updated",
            data: { title: rows.thread.title, cwd: rows.thread.cwd, runtimeMode: rows.thread.runtimeMode }
          })
          if (rows.left.length > 0) {
            emit({
              type: "warning",
              data: { message: `Left out where it was imported: ${rows.left.join(", ")}.` }
            })
          }
        })

        const take = Effect.gen(function* () {
          const binding = Option.getOrUndefined(yield* store.getBinding(id))
          if (binding !== undefined) {
            yield* idle(id)
            yield* compare(binding, header, check.turns)
            const live = sessions.get(id)
            if (live !== undefined)
              yield* ending.end(live, {
                event: "session.exited",
                reason: "a newer state of the thread came in"
              })
          }
          yield* events.transact({ threadId: id, generation: rows.binding.generation }, replace)
          return yield* Effect.catchTag(threads.get(id), "ThreadNotFound", Effect.die)
        })
        const done = yield* sessions.ifFree(id)(take)
        if (Option.isSome(done)) return done.value
        return yield* new E.StartInProgress({
          threadId: id,
          message: "The thread's session is being started here.",
          hint: "Try again in a moment."
        })
      })
    )
})
