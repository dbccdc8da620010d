import type { ProviderSessionId } from "@rejoin/contracts/Ids"
import { Data, DateTime, Effect, Option, Schedule } from "effect"
import type { Earlier } from "../conversation/Earlier.ts"
import { makeEarlier } from "../conversation/Earlier.ts"
import type { OwnSessions } from "../providers/OwnSessions.ts"
import type { ProviderAdapterShape } from "../providers/ProviderAdapter.ts"
import { ProviderCall } from "../providers/ProviderCall.ts"
import type { ResumeCursor } from "../providers/ResumeCursor.ts"
import type { Binding, TerminalLease } from "../store/Records.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { ofTheTerminal, type TerminalReport } from "./TerminalReports.ts"

/** What became of a session that was to be begun in a terminal. */
export type Begun = Data.TaggedEnum<{
  Said: { readonly cursor: ResumeCursor; readonly title: string; readonly earlier: Earlier }
  /** It was left before anything was said. */
  Nothing: {}
  /** Something may have been said, and in which session is not told: nothing is claimed (E8). */
  Untold: { readonly why: string }
}>
export const Begun = Data.taggedEnum<Begun>()

/** Codex tells the time of a session's beginning in whole seconds. */
const grain = 1000

/** How often a list that cannot be read is asked for again (E9): its agent may just be writing it. */
const again = { times: 3, schedule: Schedule.exponential("200 millis") }

/**
 * Which of the agent's sessions was begun in a terminal of the thread's: the one that its hook told, or that was given its
 * id; where neither is, the only one that is new in that directory and in which something was said.
 */
export const makeBegunSession = Effect.gen(function* () {
  const store = yield* ThreadStore
  const call = yield* ProviderCall
  const earlier = makeEarlier(call)

  const isFree = (adapter: ProviderAdapterShape, session: Pick<Binding, "storeId" | "providerSessionId">) =>
    Effect.map(store.findSession({ driver: adapter.driver, ...session }), Option.isNone)

  /** Without a hook: by directory and time. More than one, or another terminal beside this one, is no answer. */
  const unhooked = Effect.fnUntraced(function* (
    adapter: ProviderAdapterShape,
    own: OwnSessions<ResumeCursor>,
    { at, begins }: TerminalLease & { readonly begins: NonNullable<TerminalLease["begins"]> }
  ) {
    const listed = yield* call.within(adapter, "sessions", own.list({ cwd: begins.cwd, limit: 50 })).pipe(
      Effect.retry(again),
      Effect.tapError((error) =>
        Effect.logWarning("Which session a terminal began could not be looked up.", error)
      ),
      Effect.option
    )
    if (Option.isNone(listed)) return Begun.Untold({ why: "the agent's list of sessions cannot be read" })
    const { items, storeId } = listed.value
    const since = DateTime.toEpochMillis(DateTime.makeUnsafe(at)) - grain
    const fresh = yield* Effect.filter(
      items.filter(
        ({ createdAt, ours }) =>
          ours !== true && DateTime.toEpochMillis(DateTime.makeUnsafe(createdAt)) >= since
      ),
      ({ providerSessionId }) => isFree(adapter, { storeId, providerSessionId })
    )
    const [only, ...more] = fresh
    if (only === undefined) return Begun.Nothing()
    if (more.length > 0) return Begun.Untold({ why: `${fresh.length} sessions were begun there meanwhile` })
    if (!begins.alone) return Begun.Untold({ why: "another terminal was open in that directory meanwhile" })
    return only.providerSessionId
  })

  /** By its hook or its given id, or the other way. */
  const idOf = Effect.fnUntraced(function* (
    adapter: ProviderAdapterShape,
    own: OwnSessions<ResumeCursor>,
    lease: TerminalLease & { readonly begins: NonNullable<TerminalLease["begins"]> },
    reports: ReadonlyArray<TerminalReport>
  ) {
    const { assigned } = lease.begins
    const told = { reports: ofTheTerminal(reports), assigned }
    const known =
      adapter.terminal === undefined
        ? Option.none<ProviderSessionId>()
        : yield* call.within(adapter, "follow", adapter.terminal.begun(told))
    if (Option.isSome(known)) return known.value
    // The hook told something, and of no new session.
    if (reports.length > 0) return Begun.Nothing()
    return yield* unhooked(adapter, own, lease)
  })

  return Effect.fn("BegunSession.find")(function* (
    { generation, threadId }: Binding,
    adapter: ProviderAdapterShape,
    lease: TerminalLease & { readonly begins: NonNullable<TerminalLease["begins"]> },
    reports: ReadonlyArray<TerminalReport>
  ) {
    const { own } = adapter
    if (own === undefined) return Begun.Untold({ why: "the agent's sessions are out of reach" })
    const id = yield* idOf(adapter, own, lease, reports)
    if (typeof id !== "string") return id
    const found = yield* call.within(adapter, "sessions", own.find(id))
    if (Option.isNone(found)) return Begun.Nothing()
    const { cursor, session } = found.value
    const { providerSessionId, storeId } = cursor
    if (!(yield* isFree(adapter, { storeId, providerSessionId })))
      return Begun.Untold({ why: "the session that it went to is another thread's" })
    const { cwd } = lease.begins
    // What cannot be understood in an agent's record keeps nobody from going on with it.
    const said = yield* earlier(adapter, own, cursor, { threadId, generation, cwd }).pipe(
      Effect.catchDefect((defect) =>
        Effect.as(Effect.logWarning("What was said in a terminal could not be read.", defect), undefined)
      )
    )
    if (said?.turns.length === 0) return Begun.Nothing()
    return Begun.Said({ cursor, title: session.title, earlier: said ?? { mark: null, turns: [] } })
  })
})
