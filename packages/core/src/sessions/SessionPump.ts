import { type StoreFailed, toFailure } from "@rejoin/contracts/Errors"
import { isKnown } from "@rejoin/contracts/Fact"
import type { ItemId, RequestId, TurnId } from "@rejoin/contracts/Ids"
import type { Item } from "@rejoin/contracts/Item"
import type { Rule } from "@rejoin/contracts/Rule"
import { now } from "@rejoin/contracts/Time"
import { Context, Effect, Layer, Option, Queue, Stream } from "effect"
import { AdapterEvent, type AdapterItem } from "../providers/AdapterEvent.ts"
import { isOver, type LiveSession, LiveSessions, openItems } from "./LiveSessions.ts"
import { ProviderCall } from "../providers/ProviderCall.ts"
import { boundedItem, isFull } from "./ItemBounds.ts"
import { type Ending, SessionEnd } from "./SessionEnd.ts"
import { makePutOff } from "./PutOffTurns.ts"
import { directoryMismatch, permissionMismatch, withCheck } from "./SessionReceipt.ts"
import { SharedFiles } from "./SharedFiles.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { Rules } from "../rules/Rules.ts"
import { TranscriptKeeper } from "../transcripts/TranscriptKeeper.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { whileAway } from "../store/WhileAway.ts"
import { DeferredTurns } from "../turns/DeferredTurns.ts"
import { isLimit } from "../turns/GoingOnPlan.ts"
import { GoingOn } from "../turns/GoingOn.ts"
import { UsageFacts } from "../turns/UsageFacts.ts"
import { TurnJournal } from "../turns/TurnJournal.ts"

/** Carries what an adapter tells of a live session into the store and to the readers, until the session ends. */
export class SessionPump extends Context.Service<
  SessionPump,
  { readonly run: (live: LiveSession) => Effect.Effect<void> }
>()("@rejoin/core/SessionPump") {
  static readonly layer = Layer.effect(
    SessionPump,
    Effect.gen(function* () {
      const store = yield* ThreadStore
      const events = yield* ThreadEvents
      const journal = yield* TurnJournal
      const sessions = yield* LiveSessions
      const ending = yield* SessionEnd
      const call = yield* ProviderCall
      const rules = yield* Rules
      const putOff = yield* makePutOff
      const goingOn = yield* GoingOn
      const deferred = yield* DeferredTurns
      const usage = yield* UsageFacts
      const scope = yield* Effect.scope
      const keeper = yield* TranscriptKeeper
      const files = new SharedFiles()
      /** What a rule is answering now. Two servers of one agent can give their requests the same ids. */
      const ruling = new Set<string>()
      const keyOf = ({ threadId }: LiveSession, id: string) => `${threadId}/${id}`

      const item = (
        live: LiveSession,
        turnId: TurnId,
        type: "item.started" | "item.completed",
        from: AdapterItem
      ) => {
        const whole: Item = { ...boundedItem(from), turnId }
        return events.emit(
          live,
          { type, turnId, itemId: whole.id, data: { item: whole } },
          {
            item: { threadId: live.threadId, item: whole },
            apply: () => void live.turn?.items.set(whole.id, whole)
          }
        )
      }

      /** Both threads hear of a file that both have written. */
      const shared = Effect.fnUntraced(function* (live: LiveSession, { changes = [] }: AdapterItem) {
        for (const { path } of changes) {
          const whole = path.startsWith("/") ? path : `${live.wanted.cwd}/${path}`
          const other = files.wrote(whole, live.threadId, (id) => sessions.get(id)?.ended === false)
          if (other === undefined) continue
          const pair = [live, sessions.get(other)].filter((session) => session !== undefined)
          for (const session of pair) {
            const threads = pair.map(({ threadId }) => threadId).filter((id) => id !== session.threadId)
            const message = `Another session has written ${whole} too.`
            yield* warning(session, { message, path: whole, threads })
          }
        }
      })

      const delta = (live: LiveSession, turnId: TurnId, { delta, field, itemId }: Tagged<"ItemDelta">) => {
        // What is beyond what is kept is told by the whole item, when it is there.
        if (field === "output" && isFull(live.turn?.items.get(itemId as ItemId)?.output)) return Effect.void
        const apply = () => {
          const running = live.turn?.items.get(itemId as ItemId)
          if (running)
            live.turn?.items.set(running.id, { ...running, [field]: (running[field] ?? "") + delta })
        }
        return events.emit(
          live,
          { type: "item.updated", turnId, itemId: itemId as ItemId, data: { field, delta } },
          { apply }
        )
      }

      const asked = Effect.fnUntraced(function* (
        live: LiveSession,
        turnId: TurnId,
        { ask, id }: Tagged<"RequestOpened">
      ) {
        const openedAt = yield* now
        const request = { id: id as RequestId, threadId: live.threadId, turnId, openedAt, ask }
        yield* events.transact(live, (emit) =>
          Effect.map(store.saveRequest(request), () =>
            emit({
              type: ask.kind === "approval" ? "request.opened" : "user-input.opened",
              turnId,
              data: { request }
            })
          )
        )
      })

      /** Answered by a rule nobody is asked; where the answer does not get through, somebody is. */
      const ruled = Effect.fnUntraced(function* (
        live: LiveSession,
        turnId: TurnId,
        request: Tagged<"RequestOpened">,
        decision: Rule["decision"]
      ) {
        const answer = {
          decision,
          ...(decision === "decline" && { message: "A standing rule of the user's declines this." })
        }
        const sent = yield* Effect.result(
          call.within(live.adapter, "answer", live.session.answer(request.id, answer))
        )
        if (sent._tag === "Success") {
          const data = { id: request.id as RequestId, by: "rule" as const, answer, ask: request.ask }
          ruling.delete(keyOf(live, request.id))
          return yield* events.emit(live, { type: "request.resolved", turnId, data })
        }
        // What was answered elsewhere, or ended, meanwhile asks nobody any more.
        const waits = ruling.delete(keyOf(live, request.id)) && !isOver(live)
        if (waits && (live.turn?.id ?? live.lastTurnId) === turnId) yield* asked(live, turnId, request)
      })

      const requestOpened = Effect.fnUntraced(function* (
        live: LiveSession,
        turnId: TurnId,
        request: Tagged<"RequestOpened">
      ) {
        const { ask } = request
        // On a session that is not as it should be nothing is allowed by itself (laws 3 and 4).
        const decision =
          ask.kind === "approval" && !isOver(live) ? yield* rules.decide(live.threadId, ask) : Option.none()
        if (Option.isNone(decision)) return yield* asked(live, turnId, request)
        ruling.add(keyOf(live, request.id))
        // The adapter may need its events to be taken while it answers.
        yield* ruled(live, turnId, request, decision.value).pipe(
          Effect.catch((error) => Effect.logWarning("A rule's answer was not written down.", error)),
          Effect.forkIn(scope)
        )
      })

      const requestResolved = Effect.fnUntraced(function* (live: LiveSession, turnId: TurnId, id: string) {
        ruling.delete(keyOf(live, id))
        yield* events.transact(live, (emit) =>
          Effect.gen(function* () {
            const open = (yield* store.listRequests(live.threadId)).find((request) => request.id === id)
            if (open === undefined) return
            yield* store.deleteRequest(live.threadId, open.id)
            const kind = open.ask.kind === "approval" ? "request" : "user-input"
            emit({ type: `${kind}.resolved`, turnId, data: { id } })
          })
        )
      })

      const used = Effect.fnUntraced(function* (live: LiveSession, turnId: TurnId, use: Tagged<"Used">) {
        yield* events.transact(
          live,
          (emit) =>
            Effect.gen(function* () {
              const thread = yield* store.getThread(live.threadId)
              if (Option.isNone(thread)) return
              const { usage: before } = thread.value
              const usage = {
                inputTokens: before.inputTokens + use.inputTokens,
                outputTokens: before.outputTokens + use.outputTokens,
                costUsd: before.costUsd + use.costUsd
              }
              yield* store.saveThread({ ...thread.value, usage })
              emit({ type: "usage.updated", turnId, data: { usage } })
            }),
          { durable: "soon" }
        )
      })

      /** A fact that came late: it goes on the receipt, and where it contradicts, the session is quarantined. */
      const checked = Effect.fnUntraced(function* (
        live: LiveSession,
        { found, stage, what }: Tagged<"Checked">
      ) {
        const asked = what === "cwd" ? live.wanted.cwd : live.wanted.mode
        // At once, before anything else can happen: from here on nothing is sent on it.
        if (isKnown(found) && found.value !== asked) {
          live.quarantine ??=
            what === "cwd" ? directoryMismatch(asked, found.value) : permissionMismatch(asked, found.value)
        }
        const at = yield* now
        yield* events.transact(
          live,
          (emit) =>
            Effect.gen(function* () {
              const stored = yield* store.getReceipt(live.receiptId)
              if (Option.isNone(stored)) return
              // The same fact again says nothing new: a long conversation must not grow its receipt.
              const last = stored.value.checks.findLast(
                (check) => check.what === what && check.stage === stage
              )
              if (
                last !== undefined &&
                isKnown(last.found) &&
                isKnown(found) &&
                last.found.value === found.value
              )
                return
              const receipt = withCheck(stored.value, { what, asked, found, stage, at })
              yield* store.saveReceipt(receipt)
              emit({ type: "receipt.updated", data: { receipt } })
            }),
          { durable: "soon" }
        )
        if (live.quarantine !== undefined && !live.ended) yield* endQuarantined(live, live.quarantine)
      })

      const endQuarantined = Effect.fnUntraced(function* (
        live: LiveSession,
        found: NonNullable<LiveSession["quarantine"]>
      ) {
        const error = toFailure(found)
        // Settled first: what the interrupt makes of the turn would hide why. What waits was meant for a session that
        // can be trusted: whether it is to run now is for its user to say.
        const { threadId } = live
        const waiting = [
          ...(yield* store.openTurns(threadId)).filter(({ status }) => status === "accepted"),
          ...(yield* store.deferredTurns({ threadId }))
        ]
        const open = [...(live.turn === undefined ? [] : [live.turn]), ...waiting]
        for (const { id } of open) yield* journal.settle(id, live, { status: "failed", error })
        const interrupt = live.session.interrupt ?? Effect.void
        yield* call
          .within(live.adapter, "interrupt", interrupt)
          .pipe(
            Effect.ignore,
            Effect.andThen(end(live, error.message, { status: "failed", error })),
            Effect.forkIn(scope)
          )
      })

      const end = (live: LiveSession, reason: string, turn?: Ending["turn"]) =>
        Effect.ignore(ending.end(live, { event: "session.exited", reason, ...(turn && { turn }) }))

      // The pump lives in the session's scope, which the end closes: so the end is another fiber's work.
      const leave = (live: LiveSession, reason: string) => {
        const ended = Effect.ignore(ending.end(live, { event: "session.exited", reason, endedBy: "agent" }))
        return Effect.asVoid(Effect.forkIn(ended, scope))
      }

      const settled = Effect.fnUntraced(function* (live: LiveSession, event: Tagged<"TurnSettled">) {
        const { turn } = live
        // What is quarantined has no further turn: its end settles this one.
        if (turn === undefined || live.quarantine !== undefined) return
        const { output } = event
        // What its model put off for too long was ended by us, whatever its end says.
        const limit = event.status === "completed" ? undefined : turn.limit
        const error = limit ?? event.error
        const status = limit === undefined ? event.status : "failed"
        // It may end while that is found out.
        if (isLimit(error)) turn.limit = error
        const { adapter, session } = live
        const goesOn = yield* goingOn.afterFailure(turn.id, error, { adapter, cursor: session.cursor })
        yield* journal.settle(turn.id, live, { status, output, error, open: openItems(turn), goesOn })
        if (goesOn !== undefined) yield* deferred.changed
        live.turn = undefined
        yield* Queue.offer(sessions.attention, live.threadId)
        yield* keeper.soon(live.threadId)
      })

      // Work of nobody's turn is left alone: the session ran it before it was ours.
      const ofTurn = <A, E>(live: LiveSession, then: (turnId: TurnId) => Effect.Effect<A, E>) => {
        const turnId = live.turn?.id ?? live.lastTurnId
        return turnId === undefined ? Effect.void : then(turnId)
      }

      const handle = (live: LiveSession, event: AdapterEvent): Effect.Effect<unknown, StoreFailed> => {
        live.touched = true
        live.heard++
        return AdapterEvent.$match(event, {
          ItemStarted: (event) => ofTurn(live, (turnId) => item(live, turnId, "item.started", event.item)),
          ItemDelta: (event) => ofTurn(live, (turnId) => delta(live, turnId, event)),
          ItemCompleted: (event) =>
            ofTurn(live, (turnId) =>
              Effect.andThen(item(live, turnId, "item.completed", event.item), shared(live, event.item))
            ),
          RequestOpened: (event) => ofTurn(live, (turnId) => requestOpened(live, turnId, event)),
          RequestResolved: ({ id }) => ofTurn(live, (turnId) => requestResolved(live, turnId, id)),
          Used: (event) => ofTurn(live, (turnId) => used(live, turnId, event)),
          Retrying: (event) => retrying(live, event),
          UsageTold: ({ windows }) => usage.told(live.adapter.id, windows),
          Warning: ({ detail, message }) => warning(live, { message, detail }),
          Checked: (event) => checked(live, event),
          TurnSettled: (event) => settled(live, event),
          Exited: ({ reason }) => leave(live, reason)
        })
      }

      const retrying = Effect.fnUntraced(function* (live: LiveSession, event: Tagged<"Retrying">) {
        const { attempt, message } = event
        const until = yield* putOff(live, event)
        yield* warning(live, { message, retry: attempt, ...(until && { until }) })
      })

      const warning = (live: LiveSession, data: unknown) =>
        events.emit(live, { type: "warning", turnId: live.turn?.id, data })

      const run = (live: LiveSession) =>
        live.session.events.pipe(
          // Which turn it belongs to is known only once the gate is open. The agent works on while the database is away.
          Stream.runForEach((event) => Effect.flatMap(live.gate.await, () => whileAway(handle(live, event)))),
          Effect.matchCauseEffect({
            onSuccess: () => leave(live, "the provider's stream of events ended"),
            onFailure: (cause) =>
              Effect.andThen(
                Effect.logError("The events of a session could not be written.", cause),
                leave(live, "its events could not be written")
              )
          })
        )

      return SessionPump.of({ run })
    })
  )
}

type Tagged<Tag extends AdapterEvent["_tag"]> = Extract<AdapterEvent, { readonly _tag: Tag }>
