import type { ThreadId } from "@rejoin/contracts/Ids"
import { ProviderService } from "@rejoin/core/ProviderService"
import { ThreadEvents } from "@rejoin/core/events/ThreadEvents"
import { Effect, Stream } from "effect"
import { TestClock } from "effect/testing"
import { heal } from "./InMemoryFaults.ts"
import { broke, knownThreads, type Witness } from "./InMemoryWitness.ts"
import { breathe } from "./Patience.ts"

/** Sends, declines whatever is asked, and waits until it is settled. */
const say = Effect.fnUntraced(function* ({ store }: Witness, id: ThreadId, input: string) {
  const service = yield* ProviderService
  const events = yield* ThreadEvents
  const turn = yield* service.send(id, { input })
  const declining = events.follow(id, 0).pipe(
    Stream.filter(({ turnId, type }) => type === "request.opened" && turnId === turn.id),
    Stream.mapEffect(() => store.listRequests(id)),
    Stream.runForEach((requests) =>
      Effect.forEach(requests, (request) =>
        Effect.ignore(service.answer(id, request.id, { decision: "decline" }))
      )
    )
  )
  return yield* Effect.raceFirst(service.awaitSettled(id, turn.id), Effect.andThen(declining, Effect.never))
})

/** With everything healed: what is open is brought to its end, and every thread is asked what it is and knows. */
export const conclude = Effect.fnUntraced(function* (witness: Witness) {
  const { recalled, store, told, upstream, where } = witness
  const service = yield* ProviderService
  heal(upstream)
  for (let round = 0; round < 200 && (yield* store.openTurns("all")).length > 0; round++) {
    for (const id of yield* knownThreads(witness)) {
      for (const request of yield* store.listRequests(id)) {
        yield* Effect.ignore(service.answer(id, request.id, { decision: "cancel" }))
      }
      const open = yield* store.openTurns(id)
      if (open.some(({ input }) => input.startsWith("hold"))) yield* Effect.ignore(service.interrupt(id))
    }
    for (let i = 0; i < 40; i++) yield* Effect.yieldNow
    if (round > 10) yield* breathe
    if (round > 20) yield* TestClock.adjust("1 second")
  }
  for (const id of yield* knownThreads(witness)) {
    yield* service.update(id, { runtimeMode: "read-only" })
    const first = yield* say(witness, id, `write blocked-${id}`)
    // A fork that a crash left without its own session, and whose origin has been removed since: it says so.
    if (first.error?._tag === "UpstreamLost") {
      broke(witness, id)
      yield* service.reset(id)
    }
    yield* service.update(id, { runtimeMode: "full-access" })
    yield* say(witness, id, `write allowed-${id}`)
    const place = yield* say(witness, id, `run pwd ${id}`)
    if (place.status === "completed") where.set(id, place.output)
    const turn = yield* say(witness, id, `recall ${id}`)
    if (turn.status === "completed") recalled.set(id, turn.output)
    const written = (path: string) => upstream.writes.some((write) => write.path === path)
    if (written(`blocked-${id}`)) told.push(`law 4: ${id} wrote while it was read-only`)
    if (!written(`allowed-${id}`)) told.push(`law 4: ${id} could not write with full access`)
  }
})
