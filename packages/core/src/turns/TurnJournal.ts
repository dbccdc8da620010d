import { isStillNext, last, updated } from "./QueueEdit.ts"
import {
  IdempotencyConflict,
  type SessionHeldElsewhere,
  type StoreFailed,
  type ThreadNotFound
} from "@rejoin/contracts/Errors"
import type { Failure } from "@rejoin/contracts/Failure"
import type { MessageId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { Item } from "@rejoin/contracts/Item"
import type { ThreadStatus } from "@rejoin/contracts/Thread"
import { now, type Timestamp } from "@rejoin/contracts/Time"
import { isSettled, waits } from "@rejoin/contracts/Turn"
import { Context, Effect, Layer, Metric, Option } from "effect"
import * as CoreMetrics from "../CoreMetrics.ts"
import { newId } from "../NewId.ts"
import { blobsOf, same } from "./Attachments.ts"
import { closeRequests } from "./PendingRequests.ts"
import { wentElsewhere } from "../plan/Plan.ts"
import type { Sent } from "../providers/ProviderAdapter.ts"
import type { Binding, ThreadRecord, TurnRecord } from "../store/Records.ts"
import { accepted, type GoesOn, goesOnText, newTurn, type NewTurn } from "./NewTurn.ts"
import { threadNotFound } from "../sessions/SessionDirectory.ts"
import { type Emit, type Origin, ThreadEvents } from "../events/ThreadEvents.ts"
import { lockOurs } from "../store/Ownership.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { titleFrom } from "../threads/ThreadTitle.ts"

export interface Settlement {
  readonly status: "completed" | "failed" | "interrupted"
  readonly output?: string
  readonly error?: Failure | undefined
  /** Items that will not be completed any more, as far as they came. */
  readonly open?: ReadonlyArray<Item>
  /** Written with it: either both are there or none. */
  readonly goesOn?: GoesOn | undefined
}

/**
 * The one queue of a thread's turns. A turn that was accepted is in the database before a provider sees it, is run at
 * most once, and is settled after a crash (law 6).
 */
export class TurnJournal extends Context.Service<
  TurnJournal,
  {
    /** The same key with the same input returns the turn that is there. Nothing is accepted for a thread that has moved. */
    readonly accept: (
      turn: NewTurn
    ) => Effect.Effect<TurnRecord, StoreFailed | IdempotencyConflict | SessionHeldElsewhere | ThreadNotFound>
    /** The oldest accepted turn, unless one is under way. */
    readonly next: (threadId: ThreadId) => Effect.Effect<Option.Option<TurnRecord>, StoreFailed>
    /**
     * Before the call: our message id, and that there may be a history upstream from now on. None where the turn was
     * withdrawn meanwhile.
     */
    readonly dispatching: (
      turn: TurnRecord,
      origin: Origin,
      messageId: MessageId
    ) => Effect.Effect<Option.Option<TurnRecord>, StoreFailed>
    /** After the message was read back upstream: the mark, and that there is a history. */
    readonly running: (
      turn: TurnRecord,
      origin: Origin,
      messageId: MessageId,
      sent: Sent,
      encoded: unknown
    ) => Effect.Effect<void, StoreFailed>
    /** The message did not arrive: the turn waits again. */
    readonly reopen: (turn: TurnRecord) => Effect.Effect<void, StoreFailed>
    /**
     * Writes the steer into the turn that it joins, before it is sent. `fresh` unless its key was there before;
     * none where the turn has settled meanwhile.
     */
    readonly steer: (
      turnId: TurnId,
      steer: NewTurn,
      messageId: MessageId
    ) => Effect.Effect<
      Option.Option<{ readonly turn: TurnRecord; readonly fresh: boolean }>,
      StoreFailed | IdempotencyConflict
    >
    /** The steer did not get through: as if it had not been. */
    readonly unsteer: (turnId: TurnId, messageId: MessageId) => Effect.Effect<void, StoreFailed>
    /** Its time has come: it waits for its turn now, behind those that do already. False where it does not wait any more. */
    readonly due: (turnId: TurnId) => Effect.Effect<boolean, StoreFailed>
    /** It is waited for longer. False where it does not wait for its time any more. */
    readonly postpone: (turnId: TurnId, notBefore: Timestamp) => Effect.Effect<boolean, StoreFailed>
    /** A person is about to end the running turn. */
    readonly interrupting: (turnId: TurnId) => Effect.Effect<void, StoreFailed>
    /** Ends a turn that was not begun yet, and nothing else. Returns whether it was. */
    readonly withdraw: (turnId: TurnId, origin: Origin) => Effect.Effect<boolean, StoreFailed>
    /** Ends what this device has sent and that has not begun. */
    readonly withdrawFrom: (device: string) => Effect.Effect<void, StoreFailed>
    /** Ends what waits on this thread and that nobody sent: its user does something else now. */
    readonly withdrawGoingOn: (origin: Origin) => Effect.Effect<void, StoreFailed>
    /**
     * Exactly once: a turn that is settled already stays as it is. With it go its open items and the thread's
     * pending requests. Returns whether this call settled it.
     */
    readonly settle: (
      turnId: TurnId,
      origin: Origin,
      settlement: Settlement
    ) => Effect.Effect<boolean, StoreFailed>
  }
>()("@rejoin/core/TurnJournal") {
  static readonly layer = Layer.effect(
    TurnJournal,
    Effect.gen(function* () {
      const store = yield* ThreadStore
      const events = yield* ThreadEvents

      const generationOf = (threadId: ThreadId) =>
        Effect.map(
          store.getBinding(threadId),
          Option.match({ onNone: () => 0, onSome: ({ generation }) => generation })
        )

      const touchThread = Effect.fnUntraced(function* (
        threadId: ThreadId,
        change: { status?: ThreadStatus; lastError?: Failure | null; title?: string },
        known?: ThreadRecord
      ) {
        const thread = known ?? Option.getOrUndefined(yield* store.getThread(threadId))
        if (thread === undefined) return
        const at = yield* now
        yield* store.saveThread({ ...thread, ...change, updatedAt: at, lastActivityAt: at })
      })

      /** Nothing where another start has taken it over since. */
      const patchBinding = Effect.fnUntraced(function* (
        { generation, threadId }: Origin,
        change: (binding: Binding) => Partial<Binding>
      ) {
        const binding = Option.getOrUndefined(yield* store.getBinding(threadId))
        if (binding?.generation !== generation) return
        const at = yield* now
        yield* store
          .saveBinding({ ...binding, ...change(binding), lastSeenAt: at, updatedAt: at })
          .pipe(Effect.catchTags({ StaleGeneration: Effect.die, SessionHeldElsewhere: Effect.die }))
      })

      /** Changes a turn as it is now, whoever else changes it. Of which nobody is told. */
      const changing = (turnId: TurnId, change: (stored: TurnRecord) => TurnRecord) =>
        store.transaction(
          Effect.gen(function* () {
            const found = Option.getOrUndefined(yield* store.getTurn(turnId))
            if (found === undefined) return
            yield* lockOurs(store, found.threadId)
            const stored = Option.getOrUndefined(yield* store.getTurn(turnId))
            if (stored !== undefined) yield* store.saveTurn(change(stored))
          })
        )

      const accept = Effect.fn("TurnJournal.accept")(function* (turn: NewTurn) {
        const id = yield* newId("trn")
        const at = yield* now
        const generation = yield* generationOf(turn.threadId)
        return yield* events.transact(
          { threadId: turn.threadId, generation },
          (emit) =>
            Effect.gen(function* () {
              // It may have been deleted since it was looked up.
              const thread = yield* store.getThread(turn.threadId)
              if (Option.isNone(thread)) return yield* threadNotFound(turn.threadId)
              if (turn.idempotencyKey !== null) {
                const existing = yield* store.findTurn(turn.threadId, turn.idempotencyKey)
                if (Option.isSome(existing))
                  return yield* sameOrConflict(existing.value, turn, turn.idempotencyKey)
              }
              const { moved = null, providerSessionId = null } =
                Option.getOrUndefined(yield* store.getBinding(turn.threadId)) ?? {}
              if (moved !== null) return yield* wentElsewhere(moved, providerSessionId)
              const { attachments, notBefore, ...rest } = turn
              const record = newTurn(id as TurnId, { ...rest, attachments: attachments.refs, notBefore }, at)
              yield* store.saveTurn(record)
              if (attachments.blobs.length > 0) yield* store.saveBlobs(record.id, attachments.blobs)
              const untitled = thread.value.title === ""
              const change = untitled ? { title: titleFrom(turn.input) } : {}
              yield* touchThread(turn.threadId, change, thread.value)
              emit(accepted(record))
              return record
            }),
          { by: "anyone" }
        )
      })

      const next = Effect.fn("TurnJournal.next")(function* (threadId: ThreadId) {
        const open = yield* store.openTurns(threadId)
        return open.some(({ status }) => status !== "accepted")
          ? Option.none()
          : Option.fromUndefinedOr(open[0])
      })

      const dispatching = Effect.fn("TurnJournal.dispatching")(function* (
        turn: TurnRecord,
        origin: Origin,
        messageId: MessageId
      ) {
        const record: TurnRecord = {
          ...turn,
          status: "dispatching",
          messageId,
          generation: origin.generation
        }
        return yield* events.transact(origin, () =>
          Effect.gen(function* () {
            const stored = yield* store.getTurn(turn.id)
            if (Option.isNone(stored)) return Option.none()
            if (!isStillNext(stored.value, turn, yield* store.openTurns(turn.threadId))) return Option.none()
            yield* store.saveTurn(record)
            yield* patchBinding(origin, ({ prior }) => ({
              status: "running",
              prior: prior === "none" ? "maybe" : prior
            }))
            yield* touchThread(origin.threadId, { status: "running" })
            return Option.some(record)
          })
        )
      })

      const running = Effect.fn("TurnJournal.running")(function* (
        turn: TurnRecord,
        origin: Origin,
        messageId: MessageId,
        { cursor, kept }: Sent,
        encoded: unknown
      ) {
        const at = yield* now
        yield* events.transact(
          origin,
          (emit) =>
            Effect.gen(function* () {
              // As it is by now: somebody may have asked for its end meanwhile, or have ended it.
              const stored = Option.getOrUndefined(yield* store.getTurn(turn.id))
              if (stored?.status === "dispatching") {
                yield* store.saveTurn({ ...stored, status: "running", startedAt: at })
                emit({ type: "turn.started", turnId: turn.id, data: { input: turn.input } })
              }
              yield* patchBinding(origin, () => ({
                prior: "some",
                // What is not in the conversation can never be looked for there.
                ...(kept && { mark: messageId }),
                cursor: encoded,
                providerSessionId: cursor.providerSessionId
              }))
            }),
          // That it was sent is on the disk already.
          { durable: "soon" }
        )
      })

      const reopen = Effect.fn("TurnJournal.reopen")(function* (turn: TurnRecord) {
        yield* changing(turn.id, (stored) =>
          stored.status === "dispatching"
            ? { ...stored, status: "accepted", messageId: null, generation: null }
            : stored
        )
      })

      const steer = Effect.fn("TurnJournal.steer")(function* (
        turnId: TurnId,
        steer: NewTurn,
        messageId: MessageId
      ) {
        const at = yield* now
        const steered = yield* store.transaction(
          Effect.gen(function* () {
            yield* lockOurs(store, steer.threadId)
            const { idempotencyKey, input } = steer
            const existing =
              idempotencyKey === null ? Option.none() : yield* store.findTurn(steer.threadId, idempotencyKey)
            if (idempotencyKey !== null && Option.isSome(existing)) {
              return Option.some({
                turn: yield* sameOrConflict(existing.value, steer, idempotencyKey),
                fresh: false
              })
            }
            const joined = yield* store.getTurn(turnId)
            if (Option.isNone(joined) || isSettled(joined.value.status)) return Option.none()
            const turn = joined.value
            const { blobs, refs } = steer.attachments
            const attachments = refs.length > 0 && { attachments: refs }
            const record = {
              ...turn,
              steers: [...turn.steers, { input, ...attachments, at, messageId, idempotencyKey }]
            }
            yield* store.saveTurn(record)
            if (blobs.length > 0) yield* store.saveBlobs(turn.id, blobs)
            return Option.some({ turn: record, fresh: true })
          })
        )
        yield* store.durable
        return steered
      })

      const unsteer = Effect.fn("TurnJournal.unsteer")(function* (turnId: TurnId, messageId: MessageId) {
        yield* changing(turnId, (turn) => ({
          ...turn,
          steers: turn.steers.filter((steer) => steer.messageId !== messageId)
        }))
      })

      const editDeferred = Effect.fnUntraced(function* (
        turnId: TurnId,
        edit: (turn: TurnRecord) => TurnRecord
      ) {
        const found = Option.getOrUndefined(yield* store.getTurn(turnId))
        if (found?.status !== "deferred") return false
        const { threadId } = found
        const generation = yield* generationOf(threadId)
        return yield* events.transact(
          { threadId, generation },
          (emit) =>
            Effect.gen(function* () {
              const stored = Option.getOrUndefined(yield* store.getTurn(turnId))
              if (stored?.status !== "deferred") return false
              const turn = edit(stored)
              yield* store.saveTurn(turn)
              if (turn.status === "accepted") {
                yield* store.openTurnsLast(threadId, last(yield* store.openTurns(threadId), turnId))
              }
              emit(updated(turn))
              return true
            }),
          { by: "anyone" }
        )
      })

      const due = (turnId: TurnId) => editDeferred(turnId, (turn) => ({ ...turn, status: "accepted" }))

      const postpone = (turnId: TurnId, notBefore: Timestamp) =>
        editDeferred(turnId, (turn) => ({ ...turn, notBefore }))

      const interrupting = Effect.fn("TurnJournal.interrupting")(function* (turnId: TurnId) {
        yield* changing(turnId, (turn) => (isSettled(turn.status) ? turn : { ...turn, interruptAsked: true }))
      })

      const withdraw = Effect.fn("TurnJournal.withdraw")(function* (turnId: TurnId, origin: Origin) {
        const at = yield* now
        return yield* events.transact(
          origin,
          (emit) =>
            Effect.gen(function* () {
              const stored = yield* store.getTurn(turnId)
              if (Option.isNone(stored) || !waits(stored.value)) return false
              yield* store.saveTurn({ ...stored.value, status: "interrupted", settledAt: at })
              yield* Metric.update(Metric.withAttributes(CoreMetrics.turns, { status: "interrupted" }), 1)
              emit({ type: "turn.interrupted", turnId, data: { output: "", withdrawn: true } })
              return true
            }),
          { by: "anyone" }
        )
      })

      const withdrawGoingOn = Effect.fn("TurnJournal.withdrawGoingOn")(function* (origin: Origin) {
        const { threadId } = origin
        const waiting = [...(yield* store.openTurns(threadId)), ...(yield* store.deferredTurns({ threadId }))]
        for (const { continues, id } of waiting) {
          if (continues !== undefined) yield* withdraw(id, origin)
        }
      })

      const withdrawFrom = Effect.fn("TurnJournal.withdrawFrom")(function* (device: string) {
        for (const turn of [...(yield* store.openTurns("all")), ...(yield* store.deferredTurns("all"))]) {
          if (turn.from?.device !== device || !waits(turn)) continue
          const { id, threadId } = turn
          yield* withdraw(id, { threadId, generation: yield* generationOf(threadId) })
        }
      })

      const giveUpWaiting = Effect.fnUntraced(function* ({ threadId }: Origin, emit: Emit) {
        const settledAt = yield* now
        for (const turn of yield* store.deferredTurns({ threadId })) {
          if (turn.continues === undefined) continue
          yield* store.saveTurn({ ...turn, status: "interrupted", settledAt })
          emit({ type: "turn.interrupted", turnId: turn.id, data: { output: "", withdrawn: true } })
        }
      })

      const settle = Effect.fn("TurnJournal.settle")(function* (
        turnId: TurnId,
        origin: Origin,
        { error: why, goesOn: wanted, open = [], output, status }: Settlement
      ) {
        const at = yield* now
        const nextId = (yield* newId("trn")) as TurnId
        return yield* events.transact(origin, (emit) =>
          Effect.gen(function* () {
            const stored = yield* store.getTurn(turnId)
            if (Option.isNone(stored) || isSettled(stored.value.status)) return false
            // A person may have asked for its end since that was decided.
            const goesOn = stored.value.interruptAsked ? undefined : wanted
            const error = why && goesOn ? { ...why, hint: goesOnText(goesOn) } : why
            yield* store.saveTurn({
              ...stored.value,
              status,
              output: output ?? stored.value.output,
              error: error ?? null,
              ...(goesOn && { continuedBy: nextId }),
              settledAt: at
            })
            for (const item of open.map((item): Item => ({ ...item, status: "failed" }))) {
              yield* store.saveItems([{ threadId: origin.threadId, item }])
              emit({ type: "item.completed", turnId, itemId: item.id, data: { item } })
            }
            yield* closeRequests(store, origin.threadId, emit)
            yield* patchBinding(origin, () => ({ status: "ready" }))
            yield* touchThread(origin.threadId, {
              status: status === "completed" ? "done" : status === "failed" ? "error" : "idle",
              lastError: error ?? null
            })
            yield* Metric.update(Metric.withAttributes(CoreMetrics.turns, { status }), 1)
            emit({
              type: `turn.${status}`,
              turnId,
              data: {
                output: output ?? "",
                ...(error && { error }),
                ...(goesOn && { continuedBy: nextId })
              }
            })
            // Its user has gone on without waiting.
            if (status === "completed" && stored.value.continues === undefined)
              yield* giveUpWaiting(origin, emit)
            if (goesOn !== undefined) {
              const next = newTurn(
                nextId,
                {
                  threadId: origin.threadId,
                  delivery: null,
                  idempotencyKey: null,
                  from: stored.value.from,
                  ...goesOn
                },
                at
              )
              yield* store.saveTurn(next)
              yield* store.saveBlobs(next.id, yield* blobsOf(store, next.attachments))
              emit(accepted(next))
            }
            return true
          })
        )
      })

      return TurnJournal.of({
        accept,
        next,
        dispatching,
        running,
        reopen,
        steer,
        unsteer,
        due,
        postpone,
        interrupting,
        withdraw,
        withdrawFrom,
        withdrawGoingOn,
        settle
      })
    })
  )
}

/** N8: the same key, input and files are the same turn; with anything else the key is a mistake of the caller. */
const sameOrConflict = (existing: TurnRecord, turn: NewTurn, key: string) => {
  const said = [existing, ...existing.steers].filter(({ idempotencyKey }) => idempotencyKey === key)
  const isSame = ({ attachments = [], input }: (typeof said)[number]) =>
    input === turn.input && same(attachments, turn.attachments.refs)
  return said.some(isSame)
    ? Effect.succeed(existing)
    : Effect.fail(
        new IdempotencyConflict({
          idempotencyKey: key,
          turnId: existing.id,
          message: "This idempotency key was used before with another input."
        })
      )
}
