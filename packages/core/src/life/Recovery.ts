import { ProviderFailed, type StoreFailed, toFailure } from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { Context, Effect, Layer, Option, Queue } from "effect"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import { closeRequests } from "../turns/PendingRequests.ts"
import { ProviderCall } from "../providers/ProviderCall.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import type { AdapterItem } from "../providers/AdapterEvent.ts"
import { finishedIn, missedItems } from "./FinishedAlone.ts"
import type { Binding, StartIntent, TurnRecord } from "../store/Records.ts"
import { StartIntents } from "../sessions/StartIntents.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { environmentOf } from "../trust/Loading.ts"
import { GoingOn } from "../turns/GoingOn.ts"
import { makeMendItems } from "../turns/MendItems.ts"
import { TurnJournal } from "../turns/TurnJournal.ts"

/** What a start-up found left over and settled. */
export interface Reconciled {
  readonly intents: number
  readonly rerun: number
  readonly interrupted: number
  /** Turns that the agent had finished alone. */
  readonly completed: number
}

/**
 * Brings what a crash left half done to an end, before anybody is served: starts are undone by their intents,
 * turns are settled or run (law 6, C37). To be run once, after orphans are swept.
 */
export class Recovery extends Context.Service<
  Recovery,
  { readonly reconcile: Effect.Effect<Reconciled, StoreFailed> }
>()("@rejoin/core/Recovery") {
  static readonly layer = Layer.effect(
    Recovery,
    Effect.gen(function* () {
      const store = yield* ThreadStore
      const registry = yield* ProviderRegistry
      const starts = yield* StartIntents
      const journal = yield* TurnJournal
      const sessions = yield* LiveSessions
      const call = yield* ProviderCall
      const events = yield* ThreadEvents
      const goingOn = yield* GoingOn

      const mendItems = makeMendItems(store)

      const undo = Effect.fnUntraced(function* (intent: StartIntent) {
        const adapter = yield* registry.get(intent.instanceId)
        const thread = yield* store.getThread(intent.threadId)
        const environment = Option.getOrElse(thread, () => ({ extraEnv: {}, additionalDirectories: [] }))
        yield* starts.abandon(intent, adapter, environment)
      })

      const delivered = Effect.fnUntraced(function* (turn: TurnRecord) {
        const thread = yield* store.getThread(turn.threadId)
        const binding = yield* store.getBinding(turn.threadId)
        if (Option.isNone(thread) || Option.isNone(binding) || turn.messageId === null)
          return "unknown" as const
        const adapter = yield* registry.get(binding.value.instanceId)
        const cursor = adapter.decodeCursor(binding.value.cursor)
        if (Option.isNone(cursor)) return "unknown" as const
        return yield* call.within(
          adapter,
          "delivered",
          adapter.delivered(cursor.value, turn.messageId, environmentOf(thread.value))
        )
      })

      const interrupt = Effect.fnUntraced(function* (
        turn: TurnRecord,
        generation: number,
        provider: string,
        arrived: boolean
      ) {
        const error = toFailure(
          new ProviderFailed({
            provider,
            message: "The server stopped in the middle of this turn.",
            hint: "Send again: the conversation goes on from what the provider kept."
          })
        )
        yield* mendItems(turn.threadId, turn.id)
        const goesOn = arrived ? yield* goingOn.afterEnd(turn.id, "server") : undefined
        yield* journal.settle(
          turn.id,
          { threadId: turn.threadId, generation },
          { status: "interrupted", error, goesOn }
        )
      })

      /** What the agent did alone while nobody listened, where it finished the turn; none where it did not. */
      const finished = Effect.fnUntraced(function* (turn: TurnRecord, { cursor, instanceId }: Binding) {
        const adapter = yield* registry.get(instanceId)
        const decoded = adapter.decodeCursor(cursor)
        if (adapter.own === undefined || Option.isNone(decoded)) return undefined
        return finishedIn(yield* call.within(adapter, "sessions", adapter.own.history(decoded.value)), turn)
      })

      const complete = Effect.fnUntraced(function* (
        turn: TurnRecord,
        { generation }: Binding,
        theirs: ReadonlyArray<AdapterItem>
      ) {
        const { id, threadId } = turn
        const origin = { threadId, generation }
        yield* mendItems(threadId, id)
        const ours = yield* store.listItems(threadId, { limit: 500 })
        const missed = missedItems(
          ours.filter(({ turnId }) => turnId === id),
          theirs,
          id
        )
        yield* events.transact(origin, (emit) =>
          Effect.map(store.saveItems(missed.map((item) => ({ threadId, item }))), () => {
            for (const item of missed)
              emit({ type: "item.completed", turnId: id, itemId: item.id, data: { item } })
          })
        )
        const output = theirs.findLast(({ kind }) => kind === "assistant-message")?.text ?? ""
        yield* journal.settle(id, origin, { status: "completed", output })
      })

      const reconcile = Effect.gen(function* () {
        const all = yield* store.listIntents("ours")
        const intents = all.filter(({ step }) => step !== "undone")
        for (const intent of all.filter(({ step }) => step === "undone")) {
          // Its thread was deleted since: nothing is to be made whole any more.
          if (Option.isNone(yield* store.getThread(intent.threadId))) yield* store.deleteIntent(intent)
        }
        for (const intent of intents) {
          yield* undo(intent).pipe(
            Effect.catch((error) =>
              Effect.logWarning("A start that a crash left could not be undone yet.", error)
            )
          )
        }
        let rerun = 0
        let interrupted = 0
        let completed = 0
        const waiting = new Set<ThreadId>()
        for (const turn of yield* store.openTurns("ours")) {
          if (turn.status === "accepted") {
            waiting.add(turn.threadId)
            continue
          }
          const arrival =
            turn.status === "running"
              ? "arrived"
              : yield* delivered(turn).pipe(Effect.orElseSucceed(() => "unknown" as const))
          waiting.add(turn.threadId)
          if (arrival === "absent") {
            yield* journal.reopen(turn)
            rerun++
            continue
          }
          const binding = yield* store.getBinding(turn.threadId)
          const generation = Option.isSome(binding) ? binding.value.generation : 0
          const alone =
            arrival === "arrived" && Option.isSome(binding)
              ? yield* finished(turn, binding.value).pipe(Effect.orElseSucceed(() => undefined))
              : undefined
          if (alone !== undefined && Option.isSome(binding)) {
            yield* complete(turn, binding.value, alone)
            completed++
            continue
          }
          const provider = Option.isSome(binding) ? binding.value.instanceId : ""
          yield* interrupt(turn, generation, provider, arrival === "arrived")
          interrupted++
        }
        for (const threadId of yield* store.threadsAsking) {
          // One that cannot be read holds up no other (E12).
          const binding = yield* Effect.orElseSucceed(store.getBinding(threadId), Option.none)
          const generation = Option.isSome(binding) ? binding.value.generation : 0
          yield* events.transact({ threadId, generation }, (emit) => closeRequests(store, threadId, emit))
        }
        yield* store.stopBindings
        yield* Queue.offerAll(sessions.attention, waiting)
        return { intents: intents.length, rerun, interrupted, completed }
      }).pipe(Effect.withSpan("Recovery.reconcile"))

      return Recovery.of({ reconcile })
    })
  )
}
