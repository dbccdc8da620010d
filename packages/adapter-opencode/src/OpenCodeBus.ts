import { ProviderUnavailable } from "@rejoin/contracts/Errors"
import { Deferred, Effect, Predicate, Queue, Result, Schema, Stream } from "effect"
import type { OpenCodeClient } from "./OpenCodeClient.ts"
import { BusEvent, Session, sessionOf } from "./OpenCodeSchema.ts"

export type Listener = (event: BusEvent) => void

/** Everything that happens on a server, told to whom it concerns. */
export interface OpenCodeBus {
  /** Runs a listener on the events of one session and of its sub-agents. Synchronous, so that nothing is missed. */
  readonly listen: (sessionId: string, listener: Listener) => () => void
}

const decodeEvent = Schema.decodeUnknownResult(BusEvent)

// The server sends a heartbeat every 10 s: silence for this many of them means that it hangs.
const beatsMissed = 4

/** Subscribed to the server's events when it returns. `lost` is done when they end or stop coming. */
export const makeBus = Effect.fnUntraced(function* (client: OpenCodeClient, lost: Deferred.Deferred<string>) {
  const roots = new Map<string, string>()
  const listeners = new Map<string, Set<Listener>>()
  const unknown = yield* Queue.unbounded<BusEvent>()
  const connected = yield* Deferred.make<void>()
  let silence = 0

  const tell = (id: string, event: BusEvent): boolean => {
    const own = listeners.get(roots.get(id) ?? id)
    for (const listener of own ?? []) listener(event)
    return own !== undefined
  }

  const dispatch = (payload: unknown) => {
    silence = 0
    Deferred.doneUnsafe(connected, Effect.void)
    const decoded = decodeEvent(payload)
    if (Result.isFailure(decoded)) return
    const event = decoded.success
    if (event.type === "session.created" || event.type === "session.updated") {
      const { id, parentID } = event.properties.info
      if (parentID !== undefined) roots.set(id, roots.get(parentID) ?? parentID)
    }
    const id = sessionOf(event)
    if (id === undefined) return
    const told = tell(id, event)
    // Events of sessions that nobody here listens to end at this point (C20). But who asks may be a sub-agent from
    // before our time: without an answer its turn would hang.
    if (!told && (event.type === "permission.asked" || event.type === "question.asked"))
      Queue.offerUnsafe(unknown, event)
    if (event.type === "session.deleted") roots.delete(id)
  }

  /** Follows an unknown session's parents to the one that somebody listens to. */
  const trace = Effect.fnUntraced(function* (event: BusEvent) {
    const asker = sessionOf(event) ?? ""
    let id = asker
    for (let depth = 0; depth < 10; depth++) {
      const sessionID = id
      const { parentID } = yield* client.read("session", Session, (sdk, signal) =>
        sdk.session.get({ sessionID }, { signal })
      )
      if (parentID === undefined) return
      roots.set(asker, parentID)
      if (tell(asker, event)) return
      id = parentID
    }
  })
  yield* Queue.take(unknown).pipe(
    Effect.flatMap((event) => Effect.ignore(trace(event))),
    Effect.forever,
    Effect.forkScoped
  )

  yield* subscribe(client, dispatch, lost)
  yield* Effect.raceFirst(
    Deferred.await(connected),
    Effect.flatMap(Deferred.await(lost), (reason) =>
      Effect.fail(
        new ProviderUnavailable({ provider: client.provider, message: `OpenCode is gone: ${reason}.` })
      )
    )
  )
  // Counted in beats, not in time: a machine that slept has missed none.
  yield* Effect.sync(() => ++silence).pipe(
    Effect.delay("10 seconds"),
    Effect.repeat({ until: (silent) => silent > beatsMissed }),
    Effect.andThen(Deferred.succeed(lost, "it has been silent for too long")),
    Effect.forkScoped
  )

  const bus: OpenCodeBus = {
    listen: (sessionId, listener) => {
      const own = listeners.get(sessionId) ?? new Set()
      listeners.set(sessionId, own)
      own.add(listener)
      return () => {
        own.delete(listener)
        if (own.size > 0) return
        listeners.delete(sessionId)
        // Its sub-agents are nobody's now; one that asks all the same is traced.
        for (const [child, root] of roots) if (root === sessionId) roots.delete(child)
      }
    }
  }
  return bus
})

/**
 * One `/global/event` a server. The SDK connects at the first pull, and by default connects again without end and
 * loses what came meanwhile: one break ends it here, and that is an exit (C30).
 */
const subscribe = Effect.fnUntraced(function* (
  client: OpenCodeClient,
  dispatch: (payload: unknown) => void,
  lost: Deferred.Deferred<string>
) {
  const ended = yield* Deferred.make<void>()
  // Closed last to first: the signal ends the pull at once, where an interrupt would wait for the next heartbeat.
  yield* Effect.addFinalizer(() => Deferred.await(ended))
  const signal = yield* Effect.abortSignal
  const events = yield* Effect.tryPromise({
    try: () => client.sdk.global.event({ signal, sseMaxRetryAttempts: 1 }),
    catch: (cause) => client.failure("events", { _tag: "Down", cause: String(cause) })
  }).pipe(Effect.onError(() => Deferred.succeed(ended, undefined)))
  yield* Stream.fromAsyncIterable(events.stream as AsyncIterable<unknown>, String).pipe(
    Stream.runForEach((envelope) =>
      Effect.sync(() => dispatch(Predicate.hasProperty(envelope, "payload") ? envelope.payload : undefined))
    ),
    Effect.ignore,
    Effect.andThen(Deferred.succeed(lost, "its stream of events ended")),
    Effect.ensuring(Deferred.succeed(ended, undefined)),
    Effect.forkDetach
  )
})
