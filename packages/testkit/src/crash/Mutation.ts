import { known } from "@rejoin/contracts/Fact"
import { LiveSessions } from "@rejoin/core/sessions/LiveSessions"
import { Probe } from "@rejoin/core/plan/Probe"
import type {
  ProviderAdapterShape,
  Started,
  Starting,
  StartRequest
} from "@rejoin/core/providers/ProviderAdapter"
import { StartIntents } from "@rejoin/core/sessions/StartIntents"
import { SessionEnd } from "@rejoin/core/sessions/SessionEnd"
import { SessionReaper } from "@rejoin/core/sessions/SessionReaper"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { TurnJournal } from "@rejoin/core/turns/TurnJournal"
import { Effect, Layer, Option, Scope } from "effect"

/** Something that breaks a law on purpose: the checks must see it, or they prove nothing. */
export interface Mutation {
  /** What it does, and how the violation that shows it begins. */
  readonly does: string
  readonly seen: RegExp
  readonly store?: (store: ThreadStore["Service"]) => ThreadStore["Service"]
  readonly adapter?: (adapter: ProviderAdapterShape) => ProviderAdapterShape
  /** Overrides what the core has built. */
  readonly core?: Layer.Layer<
    never,
    never,
    LiveSessions | StartIntents | SessionEnd | SessionReaper | ThreadStore | TurnJournal
  >
}

/** Every start of an adapter's, changed. */
const starts = (
  adapter: ProviderAdapterShape,
  change: (start: (request: StartRequest) => Starting, request: StartRequest) => Starting
): ProviderAdapterShape => {
  const { adopt, create, relocate } = adapter
  const { fork } = relocate
  return {
    ...adapter,
    create: (request) => change(create, request),
    adopt: (cursor, request) => change((request) => adopt(cursor, request), request),
    relocate: {
      ...(fork && { fork: (cursor, request) => change((request) => fork(cursor, request), request) })
    }
  }
}

/** As if what came back had been read. */
const unread = (started: Started): Started => ({
  ...started,
  verified: { ...started.verified, history: "same" }
})

/** One for each law. */
export const mutations: ReadonlyArray<Mutation> = [
  {
    does: "law 1: forgets a session that was stopped, and that it had a history",
    seen: /law 1/,
    store: (store) => ({
      ...store,
      getBinding: (id) =>
        Effect.map(
          store.getBinding(id),
          Option.map((binding) =>
            binding.status === "stopped" ? { ...binding, cursor: null, prior: "none" as const } : binding
          )
        )
    })
  },
  {
    does: "law 1, W14: writes nothing of our copy back, and says that it is all there",
    seen: /law 1/,
    adapter: (adapter) => {
      const { restore } = adapter
      return {
        ...adapter,
        ...(restore && {
          restore: (copy, request) =>
            Effect.map(restore({ ...copy, files: Effect.succeed(new Map()) }, request), unread)
        })
      }
    }
  },
  {
    does: "law 1, N5: gives another agent messages in which nothing is said",
    seen: /law 1/,
    adapter: (adapter) => {
      const { compose } = adapter
      return {
        ...adapter,
        ...(compose && {
          compose: (conversation, request) => {
            const said = conversation.said.map(({ at, what }) => ({
              at,
              what: what._tag === "User" ? { ...what, text: "" } : what
            }))
            return compose({ ...conversation, said }, request)
          }
        })
      }
    }
  },
  {
    does: "law 2: takes a provider that is away for a session that is gone",
    seen: /law 2/,
    adapter: (adapter) => ({
      ...adapter,
      probe: (cursor, about) =>
        Effect.map(adapter.probe(cursor, about), (probe) =>
          probe._tag === "Found" ? probe : Probe.NotFound({ evidence: "it did not answer" })
        )
    })
  },
  {
    does: "law 3: starts in another directory, and says what was asked for",
    seen: /law 3/,
    adapter: (adapter) => ({
      ...starts(adapter, (start, request) =>
        Effect.map(start({ ...request, cwd: "/elsewhere" }), (started) => ({
          ...started,
          verified: { ...started.verified, directory: known(request.cwd, "answer") }
        }))
      ),
      probe: (cursor, about) =>
        Effect.map(adapter.probe(cursor, about), (probe) =>
          probe._tag === "Found" ? { ...probe, directory: known(about.wantedCwd, "store") } : probe
        )
    })
  },
  {
    does: "law 4: starts with full access, and says what was asked for",
    seen: /law 4/,
    adapter: (adapter) =>
      starts(adapter, (start, request) =>
        Effect.map(start({ ...request, mode: "full-access" }), ({ session, ...started }) => {
          const verified = { ...started.verified, mode: known(request.mode, "answer") }
          const reconfigure: typeof session.reconfigure = ({ mode }) =>
            Effect.succeed({ ...verified, mode: known(mode, "answer") })
          return { ...started, verified, session: { ...session, reconfigure } }
        })
      )
  },
  {
    does: "law 5: starts without the thread's lease",
    seen: /law 5/,
    core: Layer.effectDiscard(
      Effect.map(LiveSessions, (sessions) =>
        Object.assign(sessions, {
          withLease: () => (body: unknown) => body
        } as Partial<typeof sessions>)
      )
    )
  },
  {
    does: "law 6: sends a turn before it is written down that it is sent",
    seen: /law 6/,
    core: Layer.effectDiscard(
      Effect.map(TurnJournal, (journal) =>
        Object.assign(journal, {
          dispatching: (turn, { generation }, messageId) =>
            Effect.succeedSome({ ...turn, status: "dispatching", messageId, generation })
        } as Partial<typeof journal>)
      )
    )
  },
  {
    does: "law 7: forgets what a start created, and does not undo it",
    seen: /law 7/,
    core: Layer.effectDiscard(
      Effect.gen(function* () {
        const store = yield* ThreadStore
        const intents = yield* StartIntents
        Object.assign(intents, {
          abandon: (intent) => Effect.ignore(store.deleteIntent(intent))
        } as Partial<typeof intents>)
      })
    )
  },
  {
    does: "law 8: reaps whatever is there",
    seen: /law 8/,
    core: Layer.effectDiscard(
      Effect.gen(function* () {
        const reaper = yield* SessionReaper
        const sessions = yield* LiveSessions
        const ending = yield* SessionEnd
        const sweep = Effect.suspend(() =>
          Effect.forEach(sessions.list(), (live) =>
            Effect.ignore(ending.end(live, { event: "session.reaped", reason: "idle" }))
          )
        )
        Object.assign(reaper, { sweep: Effect.map(sweep, ({ length }) => length) } as Partial<typeof reaper>)
      })
    )
  },
  {
    does: "law 9: lets a session outlive its scope",
    seen: /law 9/,
    adapter: (adapter) =>
      starts(adapter, (start, request) =>
        Effect.flatMap(Scope.make(), (scope) => Scope.provide(start(request), scope))
      )
  }
]
