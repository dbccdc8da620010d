import type { ThreadId } from "@rejoin/contracts/Ids"
import { Effect, Layer, Queue, Stream } from "effect"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { whileAway } from "../store/WhileAway.ts"
import { LiveSessions } from "./LiveSessions.ts"
import { SessionEnd } from "./SessionEnd.ts"

/**
 * Ends the sessions here of threads that another machine took over while this one was frozen or cut off (M5). Nothing of
 * their end is written: what becomes of the turn is the other one's to say.
 */
export const layer = Layer.effectDiscard(
  Effect.gen(function* () {
    const events = yield* ThreadEvents
    const sessions = yield* LiveSessions
    const ending = yield* SessionEnd
    const { ownership } = yield* ThreadStore

    const leave = (threadId: ThreadId) => {
      const live = sessions.get(threadId)
      const ended =
        live === undefined
          ? Effect.void
          : ending.end(live, { event: "session.exited", reason: "another machine has taken the thread over" })
      return Effect.ignore(ended)
    }

    yield* Queue.take(events.lost).pipe(Effect.flatMap(leave), Effect.forever, Effect.forkScoped)

    const lookAtAll = Effect.gen(function* () {
      const here = sessions.list().map(({ threadId }) => threadId)
      const ours = new Set(yield* whileAway(ownership.ours(here)))
      yield* Effect.forEach(
        here.filter((id) => !ours.has(id)),
        leave,
        { concurrency: "unbounded", discard: true }
      )
    })
    yield* ownership.doubted.pipe(
      Stream.runForEach(() =>
        Effect.catchCause(lookAtAll, (cause) =>
          Effect.logError("Whether the threads here are still ours was not looked at.", cause)
        )
      ),
      Effect.forkScoped
    )
  })
)
