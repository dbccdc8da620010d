import type { MessageId, ThreadId } from "@rejoin/contracts/Ids"
import { type Duration, Effect, Option } from "effect"
import { Probe } from "../plan/Probe.ts"
import type { About, ProviderAdapterShape } from "../providers/ProviderAdapter.ts"
import type { ResumeCursor } from "../providers/ResumeCursor.ts"
import type { ThreadStore } from "../store/ThreadStore.ts"

/**
 * What is upstream of a thread, for the plan. A session that is live here and that nobody else has touched is not looked
 * at as a whole for each turn: that would cost what its history is long.
 */
export const makeLook = (store: ThreadStore["Service"], within: Duration.Duration) => {
  const lookAt = (
    adapter: ProviderAdapterShape,
    cursor: ResumeCursor,
    about: About,
    isLive: boolean
  ): Effect.Effect<Probe> => {
    const glance = isLive ? adapter.glance?.(cursor, about) : undefined
    const probe = adapter.probe(cursor, about)
    if (glance === undefined) return probe
    return Effect.flatMap(glance, Option.match({ onNone: () => probe, onSome: Effect.succeed<Probe> }))
  }

  /** What was steered into the turn of our mark came after it, and is ours too. */
  const withoutSteers = Effect.fnUntraced(function* (
    threadId: ThreadId,
    mark: MessageId | null,
    probe: Probe
  ) {
    if (probe._tag !== "Found" || mark === null || (probe.ahead ?? 0) === 0) return probe
    const turn = Option.getOrUndefined(yield* store.findMessage(threadId, mark))
    const ahead = Math.max(0, (probe.ahead ?? 0) - (turn?.steers.length ?? 0))
    return Probe.Found({ ...probe, ahead })
  })

  return Effect.fn("SessionStart.look")(function* (
    threadId: ThreadId,
    adapter: ProviderAdapterShape,
    cursor: ResumeCursor,
    about: About,
    isLive: boolean
  ) {
    const probe = yield* Effect.timeoutOrElse(lookAt(adapter, cursor, about, isLive), {
      duration: within,
      orElse: () => Effect.succeed(Probe.Inconclusive({ evidence: "the probe timed out" }))
    })
    return yield* withoutSteers(threadId, about.mark, probe)
  })
}
