import type { StoreFailed } from "@rejoin/contracts/Errors"
import { Context, type Duration, Effect, Layer, Schedule } from "effect"
import { isOver, LiveSessions } from "../sessions/LiveSessions.ts"
import { SessionEnd } from "../sessions/SessionEnd.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { TranscriptKeeper } from "../transcripts/TranscriptKeeper.ts"
import { TurnDispatcher } from "../turns/TurnDispatcher.ts"

/** How a server comes to rest before it ends, without cutting a turn off. */
export class Draining extends Context.Service<
  Draining,
  {
    /**
     * From now on no turn begins here; those under way may end for so long. Returns how many have not. What waits is run by
     * this machine when it is started again, or by another that takes the thread over.
     */
    readonly drain: (patience: Duration.Input) => Effect.Effect<number>
    /** Whether it was begun: then nothing new should be sent here. */
    readonly isDraining: () => boolean
    /**
     * After `drain`: ends all sessions, copies what the agents have of them, and gives every thread up, to be restored by
     * whichever machine it is asked of next. Returns how many. This server takes none back. Nothing where it is alone.
     */
    readonly handOver: Effect.Effect<number, StoreFailed>
  }
>()("@rejoin/core/Draining") {
  static readonly layer = Layer.effect(
    Draining,
    Effect.gen(function* () {
      const dispatcher = yield* TurnDispatcher
      const sessions = yield* LiveSessions
      const ending = yield* SessionEnd
      const keeper = yield* TranscriptKeeper
      const { ownership } = yield* ThreadStore

      const underWay = Effect.sync(
        () => sessions.list().filter((live) => live.turn !== undefined && !isOver(live)).length
      )

      return Draining.of({
        isDraining: dispatcher.isPaused,
        drain: (patience) =>
          dispatcher.pause.pipe(
            // A start that is under way was for a turn which does not begin any more.
            Effect.andThen(
              Effect.repeat(underWay, {
                until: (turns) => turns === 0,
                schedule: Schedule.spaced("100 millis")
              })
            ),
            Effect.timeoutOrElse({ duration: patience, orElse: () => underWay })
          ),
        handOver: Effect.gen(function* () {
          yield* Effect.forEach(
            sessions.list(),
            (live) =>
              Effect.andThen(
                Effect.ignore(
                  ending.end(live, { event: "session.exited", reason: "its machine hands its threads over" })
                ),
                keeper.keep(live.threadId)
              ),
            { concurrency: "unbounded", discard: true }
          )
          return yield* ownership.leave
        })
      })
    })
  )
}
