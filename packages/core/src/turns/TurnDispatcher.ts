import * as E from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { Cause, Context, Deferred, Duration, Effect, FiberSet, Layer, Option, Queue, Stream } from "effect"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { isOver, LiveSessions } from "../sessions/LiveSessions.ts"
import { isElsewhere } from "../store/Ownership.ts"
import type { TurnRecord } from "../store/Records.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { whileAway } from "../store/WhileAway.ts"
import { makeMendItems } from "./MendItems.ts"
import { closeRequests } from "./PendingRequests.ts"
import { TurnJournal } from "./TurnJournal.ts"
import { TurnRun } from "./TurnRun.ts"

/** In a row. With their pauses they are half a minute. */
const triesAtMost = 5

/** Runs the turns of every thread, one after the other, as they are accepted (T2). */
export class TurnDispatcher extends Context.Service<
  TurnDispatcher,
  {
    /** Looks for a turn to run on this thread; returns at once. */
    readonly look: (threadId: ThreadId) => Effect.Effect<void>
    /** From now on no turn begins: what is accepted waits, over our end if need be (law 6). */
    readonly pause: Effect.Effect<void>
    readonly isPaused: () => boolean
    /** Turns begin, those that waited first. As it is from the beginning. */
    readonly resume: Effect.Effect<void>
  }
>()("@rejoin/core/TurnDispatcher") {
  static readonly layer = Layer.effect(
    TurnDispatcher,
    Effect.gen(function* () {
      const sessions = yield* LiveSessions
      const journal = yield* TurnJournal
      const turns = yield* TurnRun
      const store = yield* ThreadStore
      const events = yield* ThreadEvents
      let paused = false
      const waiting = new Set<ThreadId>()

      const again = (threadId: ThreadId) => Queue.offer(sessions.attention, threadId)

      const mendItems = makeMendItems(store)

      /**
       * A turn that is under way in the store but on no live session: the store refused to write its end, its session was
       * gone before it began, or its machine is. It is told as interrupted, and the thread goes on.
       */
      const settleForsaken = Effect.fnUntraced(function* (
        threadId: ThreadId,
        forsaken: ReadonlyArray<TurnRecord>
      ) {
        const binding = yield* store.getBinding(threadId)
        const generation = Option.isSome(binding) ? binding.value.generation : 0
        for (const turn of forsaken) {
          const provider = Option.isSome(binding) ? binding.value.instanceId : ""
          const error = E.toFailure(
            new E.ProviderFailed({ provider, message: "The turn lost its session before it was settled." })
          )
          yield* mendItems(threadId, turn.id)
          yield* journal.settle(turn.id, { threadId, generation }, { status: "interrupted", error })
        }
      })

      /** What a session asked that is gone with its machine can be answered by nobody. */
      const closeForsaken = Effect.fnUntraced(function* (threadId: ThreadId) {
        if ((yield* store.listRequests(threadId)).length === 0) return
        const binding = Option.getOrUndefined(yield* store.getBinding(threadId))
        yield* events.transact({ threadId, generation: binding?.generation ?? 0 }, (emit) =>
          closeRequests(store, threadId, emit)
        )
      })

      const drain = (threadId: ThreadId) =>
        // Nothing is claimed for what would not begin.
        Effect.suspend(() => (paused ? Effect.sync(() => void waiting.add(threadId)) : drainLeased(threadId)))

      const drainLeased = (threadId: ThreadId) =>
        sessions.withLease(threadId)(
          Effect.gen(function* () {
            if (paused) return void waiting.add(threadId)
            const live = sessions.get(threadId)
            if (live?.turn !== undefined && !isOver(live)) return
            // While it closes, its end settles the turn.
            if (live !== undefined && isOver(live)) yield* Deferred.await(live.closed)
            // Its end may have been ours.
            if (paused) return void waiting.add(threadId)
            const open = yield* store.openTurns(threadId)
            const forsaken = open.filter(({ status }) => status !== "accepted")
            if (forsaken.length > 0) yield* settleForsaken(threadId, forsaken)
            if (sessions.get(threadId) === undefined) yield* closeForsaken(threadId)
            const turn = open.find(({ status }) => status === "accepted")
            if (turn === undefined) return
            const done = yield* turns.run(turn, () => !paused)
            if (done === "again") yield* again(threadId)
          })
        )

      /** How often in a row a thread's turns could not be run, for whatever reason that has no name. */
      const failures = new Map<ThreadId, number>()

      let isAway = false

      /** It is tried again with growing pauses, and not for ever: then the turn ends with what is known. */
      const failed = Effect.fnUntraced(function* (threadId: ThreadId, cause: Cause.Cause<E.StoreFailed>) {
        // Whoever runs the thread hears of the turn too.
        if (Option.exists(Cause.findErrorOption(cause), isElsewhere)) return
        // Nothing is wrong with the turn: it waits until the database is there, however long.
        if (Option.exists(Cause.findErrorOption(cause), ({ away }) => away === true)) {
          if (!isAway) yield* Effect.logWarning("Turns wait until the database answers.", cause)
          isAway = true
          return yield* Effect.delay(again(threadId), "1 second")
        }
        const times = (failures.get(threadId) ?? 0) + 1
        failures.set(threadId, times)
        yield* Effect.logError(`A turn could not be run (${times}).`, cause)
        if (times >= triesAtMost && (yield* giveUp(threadId, cause))) {
          failures.delete(threadId)
          return yield* again(threadId)
        }
        const pause = Duration.millis(Math.min(1000 * 2 ** (times - 1), 60_000))
        yield* Effect.delay(again(threadId), pause)
      })

      /** False where the store does not let us: while it is away nothing is lost, and nothing can be told. */
      const giveUp = Effect.fnUntraced(
        function* (threadId: ThreadId, cause: Cause.Cause<E.StoreFailed>) {
          const turn = yield* journal.next(threadId)
          const open = yield* store.openTurns(threadId)
          const first = Option.getOrUndefined(turn) ?? open[0]
          const binding = yield* store.getBinding(threadId)
          if (first === undefined || Option.isNone(binding)) return true
          const { generation, instanceId } = binding.value
          const known = Option.getOrUndefined(Cause.findErrorOption(cause))
          const error = E.toFailure(
            new E.ProviderFailed({
              provider: instanceId,
              message: `The turn could not be run, however often it was tried${known === undefined ? "" : `: ${known.message}`}.`,
              hint: "The server's log says more."
            })
          )
          // What may have reached the agent is not said to have failed.
          const status = first.status === "accepted" ? "failed" : "interrupted"
          return yield* journal.settle(first.id, { threadId, generation }, { status, error })
        },
        Effect.orElseSucceed(() => false)
      )

      const fibers = yield* FiberSet.make<void>()
      const look = (threadId: ThreadId): Effect.Effect<void> =>
        drain(threadId).pipe(
          Effect.tap(() =>
            Effect.sync(() => {
              failures.delete(threadId)
              isAway = false
            })
          ),
          Effect.catchCause((cause) =>
            Cause.hasInterruptsOnly(cause) ? Effect.void : failed(threadId, cause)
          ),
          FiberSet.run(fibers),
          Effect.asVoid
        )
      yield* Queue.take(sessions.attention).pipe(Effect.flatMap(look), Effect.forever, Effect.forkScoped)

      // What another server has put into the queue of a thread that is run here.
      yield* Queue.takeAll(events.queued).pipe(
        Effect.flatMap((told) => whileAway(store.ownership.ours([...new Set(told)]))),
        Effect.flatMap((ours) => Queue.offerAll(sessions.attention, ours)),
        Effect.catchCause((cause) =>
          Effect.logError("What other servers accepted was not looked at.", cause)
        ),
        Effect.forever,
        Effect.forkScoped
      )
      // What waits where no machine is: whoever asks first takes it over.
      yield* Effect.forkScoped(Stream.runForEach(store.ownership.forsaken, again))

      return TurnDispatcher.of({
        look,
        pause: Effect.sync(() => {
          paused = true
        }),
        isPaused: () => paused,
        resume: Effect.suspend(() => {
          paused = false
          const threads = [...waiting]
          waiting.clear()
          return Effect.asVoid(Queue.offerAll(sessions.attention, threads))
        })
      })
    })
  )
}
