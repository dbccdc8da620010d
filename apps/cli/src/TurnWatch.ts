import { Receipt } from "@rejoin/contracts/Receipt"
import { PendingRequest } from "@rejoin/contracts/Request"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import type { Thread } from "@rejoin/contracts/Thread"
import { isSettled, type Turn } from "@rejoin/contracts/Turn"
import { Cause, Deferred, Effect, Exit, Option, Queue, Schema, Stream, Terminal } from "effect"
import { answer, type Answering } from "./Answering.ts"
import { Connection } from "./Connection.ts"
import { follow } from "./Following.ts"
import type { Screen } from "./Screen.ts"

/** Ends this turn, and nobody else's; says where that could not be seen. */
const endTurn = Effect.fnUntraced(function* (turn: Turn, shown: Screen) {
  const connection = yield* Connection
  const params = { id: turn.threadId, turnId: turn.id }
  yield* shown.note("Ending the turn.")
  yield* Effect.gen(function* () {
    const { turns } = yield* connection.find
    yield* turns.interrupt({ params })
    const { status } = yield* turns.get({ params, query: { wait: 15 } })
    if (!isSettled(status)) {
      yield* shown.note(`It has not ended yet. rejoin interrupt ${turn.threadId} tries again.`)
    }
  }).pipe(
    Effect.timeout("30 seconds"),
    Effect.catch(({ message }) => shown.note(`Whether it has ended is not known: ${message}`))
  )
})

const told = Schema.decodeUnknownOption(
  Schema.Struct({ request: Schema.optionalKey(PendingRequest), receipt: Schema.optionalKey(Receipt) })
)
const resolved = Schema.decodeUnknownOption(Schema.Struct({ id: Schema.String }))

/**
 * Follows the turn to its end, and answers what is asked meanwhile. Ctrl-C ends the turn, not the server. Returns what
 * the last start of its session did, where one was made for it.
 */
export const watchTurn = Effect.fnUntraced(function* (
  thread: Thread,
  turn: Turn,
  {
    how,
    joined,
    onEvent,
    shown
  }: {
    readonly how: Answering
    readonly joined: boolean
    readonly shown: Screen
    /** Each of the turn's events, as it comes. */
    readonly onEvent?: (event: RuntimeEvent) => Effect.Effect<void>
  }
) {
  const connection = yield* Connection
  const requests = yield* Queue.unbounded<PendingRequest>()
  const answered = new Map<string, Deferred.Deferred<void>>()
  const closing = (id: string) => {
    const known = answered.get(id) ?? Deferred.makeUnsafe<void>()
    answered.set(id, known)
    return known
  }
  /** Each request once: one that is pending and among the events to come too is the same. */
  const asks = (request: PendingRequest) => {
    if (answered.has(request.id)) return Effect.void
    closing(request.id)
    return Queue.offer(requests, request)
  }
  let receipt: Receipt | undefined
  const notice = Effect.fnUntraced(function* ({ data, type }: RuntimeEvent) {
    const { receipt: start, request } = Option.getOrElse(told(data), () => ({
      receipt: undefined,
      request: undefined
    }))
    if (start !== undefined) receipt = start
    if (request !== undefined) yield* asks(request)
    if (type === "request.resolved" || type === "user-input.resolved") {
      const id = Option.getOrUndefined(resolved(data))?.id
      if (id !== undefined) yield* Deferred.succeed(closing(id), undefined)
    }
  })
  const seen = follow(thread.id, thread.lastSeq, shown.note).pipe(
    Stream.filter(({ turnId }) => turnId === undefined || turnId === turn.id),
    Stream.tap(notice),
    Stream.tap(shown.show),
    Stream.tap((event) => onEvent?.(event) ?? Effect.void),
    Stream.takeUntil(
      ({ turnId, type }) =>
        turnId === turn.id &&
        (type === "turn.completed" || type === "turn.failed" || type === "turn.interrupted")
    ),
    Stream.runDrain
  )
  const answering = Queue.take(requests).pipe(
    Effect.flatMap((request) =>
      shown.asking(answer(connection.find, request, how, Deferred.await(closing(request.id))))
    ),
    Effect.forever
  )
  // What the turn that it joined had asked before is not among the events to come.
  const before = Effect.gen(function* () {
    if (!joined) return
    const { threads } = yield* connection.find
    const { items } = yield* threads.requests({ params: { id: thread.id } })
    yield* Effect.forEach(items, asks, { discard: true })
  })
  yield* Effect.andThen(before, Effect.raceFirst(seen, answering)).pipe(
    Effect.onExit((exit) =>
      Exit.isFailure(exit) &&
      (Cause.hasInterruptsOnly(exit.cause) || Cause.squash(exit.cause) instanceof Terminal.QuitError)
        ? joined
          ? shown.note("It was said; the turn that it joined goes on.")
          : endTurn(turn, shown)
        : Effect.void
    )
  )
  return receipt
})
