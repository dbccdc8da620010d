import * as E from "@rejoin/contracts/Errors"
import type { ProviderSessionId } from "@rejoin/contracts/Ids"
import type { TerminalCommand } from "@rejoin/contracts/Terminal"
import { now } from "@rejoin/contracts/Time"
import { Clock, Context, DateTime, Duration, Effect, Layer, Option } from "effect"
import type { LiveSession } from "../sessions/LiveSessions.ts"
import { newId } from "../NewId.ts"
import { Probe } from "../plan/Probe.ts"
import type { ProviderAdapterShape } from "../providers/ProviderAdapter.ts"
import { ProviderCall } from "../providers/ProviderCall.ts"
import type { Binding, TerminalLease, ThreadRecord } from "../store/Records.ts"
import { lineageOf, SessionDirectory } from "../sessions/SessionDirectory.ts"
import { titleMark } from "../sessions/StartIntents.ts"
import { SessionEnd } from "../sessions/SessionEnd.ts"
import { Settings } from "../Settings.ts"
import { environmentOf } from "../trust/Loading.ts"
import { makeSaidThere } from "./SaidThere.ts"
import { TerminalHost, terminalVariable } from "./TerminalHost.ts"
import { ofTheTerminal, type TerminalReport } from "./TerminalReports.ts"
import { type Earlier, saveEarlier } from "../conversation/Earlier.ts"
import { titleFrom } from "../threads/ThreadTitle.ts"
import { WorkingDirectory } from "../threads/WorkingDirectory.ts"
import { RepoTrust } from "../trust/RepoTrust.ts"
import { type Begun, makeBegunSession } from "./BegunSession.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { ThreadStore } from "../store/ThreadStore.ts"

/** What a start goes on from, when a terminal that may have had the session was looked at. */
export interface TakenBack {
  readonly binding: Binding
  /** The agent still runs in the terminal. */
  readonly atTerminal: boolean
  /** The session that the thread had before, where the terminal went on in another one. */
  readonly from?: ProviderSessionId
  /** Why it is not known in which session something was said there. */
  readonly untold?: string
}

/**
 * Hands a thread's session to the user's own terminal and takes it back: by itself when the agent has ended there, in
 * the session in which it went on. One writer a session (law 5): while it runs there, nothing is started here.
 */
export class Terminals extends Context.Service<
  Terminals,
  {
    /** Ends the live session, which was just checked, and tells how the terminal opens it. Under the thread's lease. */
    readonly release: (
      thread: ThreadRecord,
      live: LiveSession,
      flags: ReadonlyArray<string>
    ) => Effect.Effect<TerminalCommand, E.StartFailure | E.ThreadNotFound>
    /**
     * Opens a new session in the terminal, for a thread in which nothing was said; what has it alive here ends. What it
     * became is looked for when it comes back. Under the thread's lease.
     */
    readonly begin: (
      thread: ThreadRecord,
      adapter: ProviderAdapterShape,
      live: LiveSession | undefined,
      flags: ReadonlyArray<string>
    ) => Effect.Effect<TerminalCommand, E.StartFailure | E.ThreadNotFound>
    /**
     * Under the thread's lease. Where it is not certain that nothing of the agent runs there any more, only `claim`
     * takes the session back; where the agent itself runs, nothing does.
     */
    readonly settle: (
      thread: ThreadRecord,
      binding: Binding,
      adapter: ProviderAdapterShape,
      claim: boolean
    ) => Effect.Effect<TakenBack, E.StartFailure>
  }
>()("@rejoin/core/Terminals") {
  static readonly layer = Layer.effect(
    Terminals,
    Effect.gen(function* () {
      const directory = yield* SessionDirectory
      const ending = yield* SessionEnd
      const events = yield* ThreadEvents
      const store = yield* ThreadStore
      const settings = yield* Settings
      const host = yield* TerminalHost
      const directories = yield* WorkingDirectory
      const trust = yield* RepoTrust
      const begunSession = yield* makeBegunSession
      const call = yield* ProviderCall
      const saidThere = makeSaidThere({ store, call })

      const save = (binding: Binding, before: Binding, data: unknown, said: Earlier["turns"] = []) =>
        events.transact(binding, (emit) =>
          Effect.gen(function* () {
            const at = yield* now
            yield* saveEarlier(store, emit, said)
            if (said.length > 0) yield* store.openTurnsLast(binding.threadId)
            if (before.providerSessionId !== binding.providerSessionId)
              yield* store.addLineage(lineageOf(before, binding.generation, wentOn, at))
            yield* store.saveBinding({ ...binding, updatedAt: at })
            emit({ type: "thread.updated", data })
          })
        )

      const release = Effect.fn("Terminals.release")(function* (
        thread: ThreadRecord,
        live: LiveSession,
        flags: ReadonlyArray<string>
      ) {
        const { adapter, session, wanted } = live
        const access = adapter.terminal
        if (access === undefined) return yield* lacking
        const id = yield* newId("trm")
        yield* ending.end(live, { event: "session.exited", reason: "handed to a terminal" })
        const reports = yield* host.open(id)
        const { args, command, env } = yield* call.within(
          adapter,
          "terminal",
          access.command(session.cursor, {
            ...environmentOf(thread),
            ...wanted,
            loads: live.loads,
            systemPrompt: thread.systemPrompt ?? null,
            reports,
            flags
          })
        )
        const binding = yield* directory.get(thread.id)
        const terminal: TerminalLease = { id, program: command, reports, at: yield* now }
        yield* save({ ...binding, terminal }, binding, { terminalSince: terminal.at })
        return {
          providerSessionId: session.cursor.providerSessionId,
          command,
          args,
          cwd: wanted.cwd,
          env: { ...env, [terminalVariable]: id }
        }
      })

      /** Two that are begun in one directory at once are told apart by their hooks alone (E7). */
      const besides = Effect.fnUntraced(function* (adapter: ProviderAdapterShape, cwd: string) {
        const others = (yield* store.listTerminals).filter(
          ({ driver, terminal }) => driver === adapter.driver && terminal?.begins?.cwd === cwd
        )
        yield* Effect.forEach(others, (binding) => {
          const { begins, ...lease } = binding.terminal ?? {}
          if (begins === undefined) return Effect.void
          const terminal = { ...lease, begins: { ...begins, alone: false } } as TerminalLease
          // Taken back in this moment: then it has looked.
          return Effect.catchTags(store.saveBinding({ ...binding, terminal }), {
            StaleGeneration: () => Effect.void,
            SessionHeldElsewhere: () => Effect.void
          })
        })
        return others.length
      })

      const begin = Effect.fn("Terminals.begin")(function* (
        thread: ThreadRecord,
        adapter: ProviderAdapterShape,
        live: LiveSession | undefined,
        flags: ReadonlyArray<string>
      ) {
        const access = adapter.terminal
        if (access === undefined || adapter.own === undefined) return yield* lacking
        const { cwd, model, runtimeMode: mode } = thread
        const places = [cwd, ...thread.additionalDirectories]
        yield* Effect.forEach(places, directories.unchanged)
        const loading = yield* trust.loading(adapter, places)
        if (loading._tag === "Refused") return yield* loading.error
        const id = yield* newId("trm")
        if (live !== undefined)
          yield* ending.end(live, { event: "session.exited", reason: "begun anew in a terminal" })
        const reports = yield* host.open(id)
        const { args, assigned, command, env } = yield* call.within(
          adapter,
          "terminal",
          access.begin({
            ...environmentOf(thread, loading),
            cwd,
            mode,
            model,
            systemPrompt: thread.systemPrompt ?? null,
            reports,
            flags
          })
        )
        const binding = yield* directory.get(thread.id)
        const alone = (yield* besides(adapter, cwd)) === 0
        const begins = { assigned, cwd, alone }
        const terminal: TerminalLease = { id, program: command, reports, begins, at: yield* now }
        yield* save({ ...binding, terminal }, binding, { terminalSince: terminal.at })
        return { providerSessionId: assigned, command, args, cwd, env: { ...env, [terminalVariable]: id } }
      })

      /** What was begun in the terminal is the thread's session from now on, with what was said in it. */
      const settleBegun = Effect.fnUntraced(function* (
        thread: ThreadRecord,
        binding: Binding,
        adapter: ProviderAdapterShape,
        begun: Begun
      ) {
        const at = yield* now
        if (begun._tag !== "Said") {
          const back: Binding = { ...binding, terminal: null, updatedAt: at }
          yield* events.transact(binding, (emit) =>
            Effect.map(store.saveBinding(back), () => {
              emit({ type: "thread.updated", data: { terminalSince: null } })
              if (begun._tag === "Untold") emit({ type: "warning", data: { ...untold(begun.why) } })
            })
          )
          return { binding: back, atTerminal: false, ...(begun._tag === "Untold" && { untold: begun.why }) }
        }
        const { cursor, earlier } = begun
        const { providerSessionId } = cursor
        const back: Binding = {
          ...binding,
          instanceId: adapter.id,
          driver: adapter.driver,
          storeId: cursor.storeId,
          providerSessionId,
          cursor: adapter.encodeCursor(cursor),
          cwd: binding.terminal?.begins?.cwd ?? thread.cwd,
          status: "stopped",
          prior: "some",
          mark: earlier.mark,
          resetRequested: false,
          terminal: null,
          updatedAt: at
        }
        const title = thread.title === "" ? titleFrom(begun.title) : thread.title
        yield* events.transact(binding, (emit) =>
          Effect.gen(function* () {
            if (binding.providerSessionId !== null)
              yield* store.addLineage(lineageOf(binding, binding.generation, wentOn, at))
            yield* store.saveBinding(back)
            yield* store.saveThread({ ...thread, title, status: "done", lastActivityAt: at, updatedAt: at })
            yield* saveEarlier(store, emit, earlier.turns)
            yield* store.openTurnsLast(thread.id)
            emit({ type: "thread.updated", data: { terminalSince: null, providerSessionId, title } })
          })
        )
        return { binding: back, atTerminal: false }
      })

      /** The session that the terminal went on in, where there is another one and it is there. */
      const followed = Effect.fnUntraced(function* (
        thread: ThreadRecord,
        binding: Binding,
        adapter: ProviderAdapterShape,
        reports: ReadonlyArray<TerminalReport>
      ) {
        const cursor = Option.filter(
          adapter.decodeCursor(binding.cursor),
          () => binding.instanceId === adapter.id
        )
        const access = adapter.terminal
        if (Option.isNone(cursor) || access === undefined) return Option.none()
        const told = { reports: ofTheTerminal(reports), titleMark: titleMark(thread.id) }
        const next = yield* call.within(adapter, "follow", access.follow(cursor.value, told))
        if (Option.isNone(next) || next.value.providerSessionId === binding.providerSessionId)
          return Option.none()
        const probe = yield* adapter
          .probe(next.value, { ...environmentOf(thread), mark: null, wantedCwd: thread.cwd })
          .pipe(
            Effect.timeoutOrElse({
              duration: settings.callTimeout,
              orElse: () => Effect.succeed(Probe.Inconclusive({ evidence: "the probe timed out" }))
            })
          )
        if (probe._tag === "Found") return next
        // Nothing was said in it before it was left: the conversation is where it was.
        if (probe._tag === "NotFound") return Option.none()
        return yield* new E.ProbeInconclusive({
          message: `The terminal went on in the session ${next.value.providerSessionId}, and whether that is there cannot be decided (${probe._tag}).`,
          hint: "Nothing was changed: try again when the provider answers. A reset would give up what was said."
        })
      })

      const settle = Effect.fn("Terminals.settle")(function* (
        thread: ThreadRecord,
        binding: Binding,
        adapter: ProviderAdapterShape,
        claim: boolean
      ) {
        const lease = binding.terminal
        if (lease === null) return { binding, atTerminal: false }
        const reports = yield* host.reports(lease)
        const holder = yield* host.holds(lease)
        // Between the answer that hands it over and the agent's first sign nothing is seen of it.
        const since = DateTime.toEpochMillis(DateTime.makeUnsafe(lease.at))
        const awaited =
          reports.length === 0 && (yield* Clock.currentTimeMillis) - since < Duration.toMillis(grace)
        const held = holder === "agent" || (!claim && (holder !== "none" || awaited))
        if (held) return { binding, atTerminal: true }
        const { begins } = lease
        if (begins !== undefined) {
          const begun = yield* begunSession(binding, adapter, { ...lease, begins }, reports)
          const back = yield* settleBegun(thread, binding, adapter, begun)
          yield* host.close(lease)
          return back
        }
        const next = yield* followed(thread, binding, adapter, reports)
        const said = Option.isNone(next) ? undefined : yield* saidThere(binding, adapter, next.value)
        const back: Binding = {
          ...binding,
          terminal: null,
          ...(Option.isSome(next) && {
            providerSessionId: next.value.providerSessionId,
            storeId: next.value.storeId,
            cursor: adapter.encodeCursor(next.value),
            prior: "some",
            mark: said?.mark ?? null
          })
        }
        const { providerSessionId } = back
        yield* save(back, binding, { terminalSince: null, providerSessionId }, said?.turns)
        yield* host.close(lease)
        const from = Option.isSome(next) ? binding.providerSessionId : null
        return { binding: back, atTerminal: false, ...(from !== null && { from }) }
      })

      return Terminals.of({ release, begin, settle })
    })
  )
}

/** How long an agent in a terminal may take until it is seen there. */
const grace = Duration.minutes(1)

/** Why a thread has another session than before. */
export const wentOn = "the terminal went on in another session"

const untold = (why: string) => ({
  message: `Which session was begun in the terminal is not told: ${why}.`,
  hint: "Nothing of it is lost: `rejoin sessions` lists it, and `rejoin adopt` makes a thread of it."
})

/** For a claim: nothing is there to be taken back. */
export const noSession = (why: string | undefined) =>
  why === undefined
    ? new E.InvalidInput({
        field: "id",
        message: "Nothing was said in the terminal: there is no session to take back."
      })
    : new E.UpstreamLost({ providerSessionId: null, ...untold(why) })

export const lacking = new E.CapabilityMissing({
  capability: "terminal",
  message: "This provider's sessions cannot be opened in a terminal."
})
