import type { ItemId, ThreadId } from "@rejoin/contracts/Ids"
import { now } from "@rejoin/contracts/Time"
import { Effect, Option } from "effect"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { inconclusive } from "../plan/Plan.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import { SessionDirectory } from "../sessions/SessionDirectory.ts"
import { SessionEnd } from "../sessions/SessionEnd.ts"
import { findLeft, type Left } from "../sessions/UndoneTurns.ts"
import type { Binding, ThreadRecord, TurnRecord } from "../store/Records.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { environmentOf } from "../trust/Loading.ts"
import { RepoTrust } from "../trust/RepoTrust.ts"
import { makeTransition } from "./Transition.ts"

const page = 500

/** The end of the conversation was undone in the agent's own interface: what is there now is the thread's history. */
export const makeAcceptHistory = Effect.gen(function* () {
  const sessions = yield* LiveSessions
  const ending = yield* SessionEnd
  const directory = yield* SessionDirectory
  const registry = yield* ProviderRegistry
  const trust = yield* RepoTrust
  const events = yield* ThreadEvents
  const store = yield* ThreadStore
  const { receiptOf, transition } = yield* makeTransition

  const allTurns = Effect.fnUntraced(function* (id: ThreadId) {
    const turns: Array<TurnRecord> = []
    for (;;) {
      const next = yield* store.listTurns(id, { after: turns.at(-1)?.id, limit: page })
      turns.push(...next)
      if (next.length < page) return turns
    }
  })

  /** None where nothing of ours is missing, or where the conversation is not to be had: the start says which. */
  const look = Effect.fnUntraced(function* (thread: ThreadRecord, binding: Binding) {
    const { cwd, id } = thread
    const adapter = yield* registry.get(thread.provider)
    const cursor = binding.instanceId === adapter.id ? adapter.decodeCursor(binding.cursor) : Option.none()
    if (Option.isNone(cursor) || binding.resetRequested || binding.terminal !== null) return Option.none()
    const loading = yield* trust.loading(adapter, [cwd, ...thread.additionalDirectories])
    const about = { ...environmentOf(thread, loading), wantedCwd: cwd }
    const historyAt = (mark: Binding["mark"]) =>
      Effect.map(adapter.probe(cursor.value, { ...about, mark }), (probe) =>
        probe._tag === "Found" ? probe.history : undefined
      )
    const isMissing = (history: string | undefined) => history === "behind" || history === "diverged"
    if (!isMissing(yield* historyAt(binding.mark))) return Option.none()
    const holds = Effect.fnUntraced(function* (mark: NonNullable<Binding["mark"]>) {
      const history = yield* historyAt(mark)
      if (history === undefined || history === "unknown") {
        return yield* inconclusive("the provider stopped telling what is in it")
      }
      return !isMissing(history)
    })
    return Option.some(yield* findLeft(yield* allTurns(id), holds))
  })

  const markItems = Effect.fnUntraced(function* (id: ThreadId, undone: ReadonlySet<string>) {
    let before: ItemId | undefined
    for (;;) {
      const items = yield* store.listItems(id, { before, limit: page })
      const gone = items.filter(({ turnId }) => undone.has(turnId))
      yield* store.saveItems(gone.map((item) => ({ threadId: id, item: { ...item, undone: true } })))
      // They stand at the end: before a page without any there are none.
      if (gone.length === 0 || items.length < page) return
      before = items[0]?.id
    }
  })

  const accept = Effect.fnUntraced(function* (id: ThreadId, { mark, undone }: Left) {
    const at = yield* now
    const binding = yield* directory.get(id)
    yield* events.transact(binding, (emit) =>
      Effect.gen(function* () {
        yield* store.saveBinding({ ...binding, mark, updatedAt: at })
        yield* Effect.forEach(undone, (turn) => store.saveTurn({ ...turn, undone: true }))
        const turns = undone.map((turn) => turn.id)
        yield* markItems(id, new Set(turns))
        emit({ type: "thread.updated", data: { undone: turns } })
      })
    )
  })

  return Effect.fn("ProviderService.acceptHistory")(function* (id: ThreadId) {
    return yield* transition(id, (thread) =>
      Effect.gen(function* () {
        const left = yield* look(thread, yield* directory.get(id))
        if (Option.isNone(left)) return yield* receiptOf(thread, thread.cwd)
        // What it has in memory is what was undone.
        const live = sessions.get(id)
        if (live !== undefined) {
          yield* ending.end(live, { event: "session.exited", reason: "its history was undone elsewhere" })
        }
        yield* accept(id, left.value)
        return yield* receiptOf(thread, thread.cwd, { undone: left.value.undone.length })
      })
    )
  })
})
