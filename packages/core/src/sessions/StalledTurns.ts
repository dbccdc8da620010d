import { Duration, Effect } from "effect"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { Settings } from "../Settings.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import type { LiveSession } from "./LiveSessions.ts"
import { quietAfter } from "./Quiet.ts"

/**
 * Whether the silence of a running turn is to be told: once, until something happens again. One that waits for an
 * answer is not stalled, somebody is asked (S5).
 */
export const isStalled = (
  session: {
    readonly running: boolean
    readonly asking: boolean
    readonly told: boolean
    readonly quiet: number
  },
  limit: number
): boolean => session.running && !session.asking && !session.told && session.quiet >= limit

/** Tells of a turn that has been silent for long, and leaves it alone: to be called at each sweep. */
export const makeStallWatch = Effect.gen(function* () {
  const store = yield* ThreadStore
  const events = yield* ThreadEvents
  const settings = yield* Settings
  return Effect.fnUntraced(function* (live: LiveSession, elapsed: number) {
    const running = live.turn !== undefined && !live.ended
    live.quiet = quietAfter(live.quiet, elapsed, live.touched || !running, Duration.toMillis(settings.sweep))
    if (live.quiet === 0) live.stalled = false
    const asking = running && (yield* store.listRequests(live.threadId)).length > 0
    const { quiet, stalled: told } = live
    if (!isStalled({ running, asking, told, quiet }, Duration.toMillis(settings.stall))) return
    live.stalled = true
    yield* events.emit(live, {
      type: "session.stalled",
      turnId: live.turn?.id,
      data: { quietMillis: quiet, message: "The turn runs, and nothing has been heard of it for long." }
    })
  })
})
