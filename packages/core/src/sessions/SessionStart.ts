import * as E from "@rejoin/contracts/Errors"
import type { TurnId } from "@rejoin/contracts/Ids"
import type { Receipt } from "@rejoin/contracts/Receipt"
import { Context, Deferred, Effect, Exit, Latch, Layer, Metric, Option, Scope } from "effect"
import * as CoreMetrics from "../CoreMetrics.ts"
import { ConversationSource } from "../threads/ConversationSource.ts"
import { conversationOf } from "../conversation/Conversation.ts"
import { makeImportSaid, nothingSaid } from "../conversation/SaidElsewhere.ts"
import { makeLook } from "./Looking.ts"
import { isOver, type LiveSession, LiveSessions } from "./LiveSessions.ts"
import { missesMark, type NoCursor, Plan, plan, type Situation, type Wanted } from "../plan/Plan.ts"
import type { Probe } from "../plan/Probe.ts"
import type { ProviderAdapterShape, StartRequest } from "../providers/ProviderAdapter.ts"
import { ProviderCall } from "../providers/ProviderCall.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import type { Binding, StartIntent, ThreadRecord } from "../store/Records.ts"
import { SessionDirectory } from "./SessionDirectory.ts"
import { StartIntents, titleMark } from "./StartIntents.ts"
import { SessionEnd } from "./SessionEnd.ts"
import { SessionPump } from "./SessionPump.ts"
import { mismatch } from "./SessionReceipt.ts"
import { Settings } from "../Settings.ts"
import {
  act,
  restoresSession,
  type Asked,
  type Attempt,
  continues,
  quiesce,
  receiptOf
} from "./StartAttempt.ts"
import { Terminals } from "../terminal/Terminals.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { environmentOf, listed, type Loading } from "../trust/Loading.ts"
import { RepoTrust } from "../trust/RepoTrust.ts"
import { TranscriptKeeper } from "../transcripts/TranscriptKeeper.ts"
import { WorkingDirectory } from "../threads/WorkingDirectory.ts"

/** About what the models of the field take. */
const manyTokens = 150_000

export interface Ready {
  readonly live: LiveSession
  /** Of this start; undefined where the live session served as it was. */
  readonly receipt: Receipt | undefined
}

export interface EnsureOptions {
  readonly turnId?: TurnId
  /** The user says that no terminal has the session any more. */
  readonly claim?: boolean
  /** The user wants it back from our copy, in whichever store the agent works on now; nothing is begun anew for it. */
  readonly restore?: boolean
  /** The thread's provider is another one than it was: that is to go on with what was said. */
  readonly handOver?: boolean
  /** How many turns the user has just given up, since they were undone elsewhere; for the receipt. */
  readonly undone?: number
}

/**
 * Brings a thread's session to life as it is wanted, or says why not. Runs under the thread's lease. What it did and
 * what was read back stands in a receipt; a refusal has one too.
 */
export class SessionStart extends Context.Service<
  SessionStart,
  {
    readonly ensure: (
      thread: ThreadRecord,
      wanted: Wanted,
      options?: EnsureOptions
    ) => Effect.Effect<Ready, E.StartFailure | E.ThreadNotFound>
  }
>()("@rejoin/core/SessionStart") {
  static readonly layer = Layer.effect(
    SessionStart,
    Effect.gen(function* () {
      const registry = yield* ProviderRegistry
      const directory = yield* SessionDirectory
      const intents = yield* StartIntents
      const directories = yield* WorkingDirectory
      const sessions = yield* LiveSessions
      const pump = yield* SessionPump
      const ending = yield* SessionEnd
      const events = yield* ThreadEvents
      const sources = yield* ConversationSource
      const store = yield* ThreadStore
      const settings = yield* Settings
      const call = yield* ProviderCall
      const terminals = yield* Terminals
      const trust = yield* RepoTrust
      const keeper = yield* TranscriptKeeper
      const importSaid = makeImportSaid({ store, events, call })
      const look = makeLook(store, settings.callTimeout)

      /** A start that did not come about leaves a receipt and an event; the binding stays as it was. */
      const refused = Effect.fnUntraced(function* (asked: Asked, error: E.StartFailure, evidence: unknown) {
        const { generation, threadId } = asked.binding
        yield* Metric.update(Metric.withAttributes(CoreMetrics.starts, { outcome: "refused" }), 1)
        const receipt = yield* receiptOf(asked, Plan.Refuse({ error }), {
          generation,
          evidence,
          agentVersion: null
        })
        yield* events.transact({ threadId, generation }, (emit) =>
          Effect.map(store.saveReceipt(receipt), () =>
            emit({
              type: "session.refused",
              turnId: asked.turnId,
              data: { receipt, error: E.toFailure(error) }
            })
          )
        )
      })

      const decide = Effect.fnUntraced(function* (
        told: Asked,
        { claim = false, handOver = false, restore = false }: EnsureOptions
      ) {
        const { thread, wanted } = told
        const adapter = yield* registry.get(thread.provider)
        const { atTerminal, ...taken } = yield* terminals.settle(thread, told.binding, adapter, claim)
        const asked: Asked = { ...told, ...taken }
        const { binding } = asked
        yield* Effect.forEach([wanted.cwd, ...thread.additionalDirectories], directories.unchanged)
        const loading = yield* trust.loading(adapter, [wanted.cwd, ...thread.additionalDirectories])
        if (loading._tag === "Refused") return yield* loading.error
        const environment = environmentOf(thread, loading)
        const capabilities = yield* call.within(adapter, "detect", adapter.capabilities)
        const source = yield* sources.of(thread, binding)
        yield* sameDriver(source.binding, adapter)
        // A stored cursor of another instance never feeds this one (C3, T9).
        const cursor =
          source.binding.instanceId === adapter.id
            ? adapter.decodeCursor(source.binding.cursor)
            : Option.none()
        const copy = Option.map(
          Option.filter(
            yield* store.transcripts.get(thread.id),
            ({ driver, providerSessionId }) =>
              driver === adapter.driver && providerSessionId === source.binding.providerSessionId
          ),
          (head) => ({ head, files: store.transcripts.read(thread.id) })
        )
        const handsOver = handOver || (source.fork !== undefined && source.binding.driver !== adapter.driver)
        const conversation = handsOver
          ? Option.some(
              yield* conversationOf(
                store,
                source.fork ? source.binding.threadId : thread.id,
                thread.forkedFrom?.turnId
              )
            )
          : Option.none()
        const previous = sessions.get(thread.id)
        // A session that ended by itself may still be closing: that is awaited before anything resumes.
        if (previous !== undefined && isOver(previous)) yield* Deferred.await(previous.closed)
        const live = sessions.get(thread.id)
        const about = { ...environment, mark: source.binding.mark, wantedCwd: wanted.cwd }
        const probe: Probe | NoCursor =
          Option.isNone(cursor) || binding.resetRequested || atTerminal
            ? { _tag: "NoCursor" }
            : yield* look(thread.id, adapter, cursor.value, about, live !== undefined)
        const said =
          probe._tag === "Found" && Option.isSome(cursor) && source.fork === undefined
            ? yield* importSaid(binding, adapter, cursor.value, probe, about)
            : nothingSaid(binding)
        // Asked only where it decides: a conversation that is here is nowhere else.
        const home =
          probe._tag === "WrongStore" ? yield* store.ownership.homeOf(thread.id) : Option.none<string>()
        const situation: Situation = {
          provider: adapter.id,
          prior: source.binding.prior,
          reset: binding.resetRequested,
          atTerminal,
          ...(binding.moved !== null && !claim && { moved: binding.moved }),
          ...(handsOver && {
            handsOver:
              source.binding.driver === adapter.driver ? ("same-agent" as const) : ("other-agent" as const)
          }),
          ...(source.fork && { fork: source.fork === "end" ? "whole" : "turn" }),
          ...(live && { live: { ...live.wanted, loads: live.loads } }),
          loads: environment.loads,
          boundCwd: source.binding.cwd,
          providerSessionId: source.binding.providerSessionId,
          probe,
          wanted,
          capabilities,
          transcript: Option.isSome(copy),
          // Asked only where it decides: most histories are as they should be.
          ...(missesMark(probe) && {
            halfRestored: yield* intents.halfRestored(thread.id)
          }),
          onLost: restore ? "refuse" : settings.onLost,
          restores: restore || settings.onWrongStore === "restore",
          ...(Option.isSome(home) && { away: home.value })
        }
        const attempt: Attempt = {
          ...asked,
          binding: said.binding,
          imported: said.imported,
          adapter,
          source: source.fork === undefined ? { binding: said.binding } : source,
          cursor,
          copy,
          conversation,
          situation,
          environment,
          loading
        }
        return { attempt, live, decision: plan(situation) }
      })

      const reconfigure = Effect.fnUntraced(function* (attempt: Attempt, live: LiveSession) {
        const { adapter, wanted } = attempt
        const change = live.session.reconfigure
        if (change === undefined) {
          return yield* new E.CapabilityMissing({
            capability: "reconfigure",
            message: "The adapter declares reconfigure but lacks it."
          })
        }
        const verified = yield* call.within(adapter, "reconfigure", change(wanted))
        const contradiction = mismatch(wanted, verified, true)
        if (contradiction !== undefined) return yield* contradiction
        const receipt = yield* receiptOf(attempt, Plan.Reconfigure({ quiesce: false }), {
          generation: live.generation,
          agentVersion: (yield* adapter.info).version,
          evidence: attempt.situation.probe,
          verified,
          cursor: live.session.cursor
        })
        yield* events.transact(live, (emit) =>
          Effect.gen(function* () {
            yield* store.saveBinding({ ...attempt.binding, mode: wanted.mode, model: wanted.model })
            yield* store.saveReceipt(receipt)
            emit({ type: "receipt.updated", turnId: attempt.turnId, data: { receipt } })
          })
        )
        live.wanted = wanted
        live.receiptId = receipt.id
        return { live, receipt }
      })

      /** Steps ② and ③ within the intent: act and verify. */
      const verify = Effect.fnUntraced(function* (attempt: Attempt, planned: Plan, intent: StartIntent) {
        const { adapter, wanted } = attempt
        const { decision, started } = yield* call.within(
          adapter,
          "start",
          act(attempt, planned, requestOf(attempt, intent, intents)),
          settings.startTimeout
        )
        const contradiction = mismatch(wanted, started.verified, continues(decision))
        if (contradiction !== undefined) return yield* contradiction
        const receipt = yield* receiptOf(attempt, decision, {
          generation: intent.generation,
          agentVersion: (yield* adapter.info).version,
          evidence: { probe: attempt.situation.probe, verified: started.verified.evidence },
          verified: started.verified,
          cursor: started.session.cursor,
          leftOut: started.leftOut
        })
        return { decision, started, receipt }
      })

      /** Step ④: the point of no return. */
      const commit = (
        { adapter, source, wanted }: Attempt,
        intent: StartIntent,
        { decision, receipt, started }: Effect.Success<ReturnType<typeof verify>>
      ) =>
        directory.commit(intent, {
          wanted,
          adapter,
          cursor: started.session.cursor,
          mark: continues(decision) ? started.mark : null,
          renamed: started.renamed ?? new Map(),
          prior: continues(decision) ? source.binding.prior : "none",
          receipt
        })

      const start = (attempt: Attempt, planned: Plan) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.gen(function* () {
            const { adapter, thread, turnId, wanted } = attempt
            const intent = yield* intents.begin(thread, adapter, wanted, restoresSession(planned))
            const scope = yield* sessions.scope
            // What has been committed is not interrupted any more: it is alive, or it was never there.
            const { receipt, started } = yield* restore(verify(attempt, planned, intent)).pipe(
              Effect.tap((verified) => commit(attempt, intent, verified)),
              Scope.provide(scope),
              Effect.onExit((exit) =>
                Exit.isSuccess(exit)
                  ? Effect.void
                  : Effect.andThen(Scope.close(scope, exit), intents.abandon(intent, adapter, thread))
              )
            )
            const live: LiveSession = {
              threadId: thread.id,
              generation: intent.generation,
              adapter,
              session: started.session,
              scope,
              closed: Deferred.makeUnsafe(),
              gate: Latch.makeUnsafe(true),
              wanted,
              loads: attempt.environment.loads,
              receiptId: receipt.id,
              turn: undefined,
              lastTurnId: turnId,
              ended: false,
              quarantine: undefined,
              closing: false,
              touched: true,
              heard: 0,
              idle: 0,
              deferred: 0,
              quiet: 0,
              stalled: false
            }
            sessions.add(live)
            // What an earlier life of ours left out.
            yield* keeper.soon(thread.id)
            if (attempt.loading._tag === "KeptOut") yield* tellKeptOut(live, attempt.loading)
            if ((receipt.carried?.approximateTokens ?? 0) > manyTokens) yield* tellLong(live, receipt)
            yield* Metric.update(CoreMetrics.live, sessions.list().length)
            yield* pump.run(live).pipe(Effect.forkIn(scope))
            return { live, receipt }
          })
        )

      const tellLong = (live: LiveSession, { carried }: Receipt) =>
        events.emit(live, {
          type: "warning",
          turnId: live.lastTurnId,
          data: {
            message: `About ${carried?.approximateTokens} tokens were handed over: that may be more than the model takes.`,
            hint: "Nothing was left out for its length. Where it is too much for the model, choose one that takes more."
          }
        })

      const tellKeptOut = (live: LiveSession, { found }: Extract<Loading, { readonly _tag: "KeptOut" }>) =>
        events.emit(live, {
          type: "warning",
          turnId: live.lastTurnId,
          data: {
            message: `Not loaded, as this directory is not trusted: ${listed(found)}.`,
            hint: "Look at it, then trust it: `rejoin trust`, or on the page.",
            found
          }
        })

      const carryOut = Effect.fnUntraced(function* (
        attempt: Attempt,
        live: LiveSession | undefined,
        decision: Plan
      ) {
        if (decision._tag === "Refuse") return yield* decision.error
        if (live !== undefined && decision._tag === "Serve") {
          yield* call.within(attempt.adapter, "quiesce", quiesce(attempt, decision))
          return { live, receipt: undefined }
        }
        if (live !== undefined && decision._tag === "Reconfigure") {
          yield* call.within(attempt.adapter, "quiesce", quiesce(attempt, decision))
          return yield* reconfigure(attempt, live)
        }
        if (live !== undefined) {
          yield* ending.end(live, { event: "session.exited", reason: `superseded by ${decision._tag}` })
        }
        return yield* start(attempt, decision)
      })

      const ensure = Effect.fn("SessionStart.ensure")(function* (
        thread: ThreadRecord,
        wanted: Wanted,
        options: EnsureOptions = {}
      ) {
        const { turnId, undone = 0 } = options
        const asked: Asked = { thread, wanted, binding: yield* directory.get(thread.id), turnId, undone }
        const tell = (evidence: unknown) => (error: E.StartFailure) =>
          error._tag === "StoreFailed" ? Effect.void : refused(asked, error, evidence)
        // A session can end while it is being looked at: then it does not serve, and is looked at again.
        const { attempt, decision, live } = yield* decide(asked, options).pipe(
          Effect.repeat({ while: ({ live }) => live !== undefined && isOver(live), times: 3 }),
          Effect.tapError(tell(null))
        )
        return yield* carryOut(attempt, live, decision).pipe(Effect.tapError(tell(attempt.situation.probe)))
      })

      return SessionStart.of({ ensure })
    })
  )
}

/**
 * An instance id that leads to another agent since: the conversation is where it was, and this agent cannot know of it.
 * That is no loss, as a data directory that was changed is none; what is no cursor at all is another thing (C6).
 */
const sameDriver = (
  { driver, instanceId, prior, providerSessionId, resetRequested }: Binding,
  adapter: ProviderAdapterShape
) =>
  driver === adapter.driver ||
  instanceId !== adapter.id ||
  resetRequested ||
  (prior === "none" && providerSessionId === null)
    ? Effect.void
    : Effect.fail(
        new E.WrongStore({
          expected: driver,
          actual: adapter.driver,
          message: `The conversation is one of ${driver}, but the provider ${adapter.id} is ${adapter.driver} now.`,
          hint: "Give the other agent an id of its own in config.json, or reset the thread."
        })
      )

const requestOf = (
  { environment, source, thread, wanted }: Attempt,
  intent: StartIntent,
  intents: StartIntents["Service"]
): StartRequest => ({
  threadId: thread.id,
  generation: intent.generation,
  title: `${thread.title === "" ? "Rejoin" : thread.title} ${titleMark(thread.id)}`,
  cwd: wanted.cwd,
  mode: wanted.mode,
  model: wanted.model,
  systemPrompt: thread.systemPrompt ?? null,
  mark: source.fork === undefined || source.fork === "end" ? source.binding.mark : source.fork.last,
  repairs: [],
  ...(source.fork && { fork: source.fork }),
  ...environment,
  created: (id) => intents.created(intent, id)
})
