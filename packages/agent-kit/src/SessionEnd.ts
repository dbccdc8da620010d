import { AdapterEvent } from "@rejoin/core/providers/AdapterEvent"
import { Deferred, Effect, Schedule, type Scope } from "effect"

/** Tells that the session's process is gone, unless the session is being closed: then that is as it should be. */
export const tellWhenGone = (session: {
  /** What an error calls the agent. */
  readonly name: string
  readonly gone: Deferred.Deferred<string>
  readonly isClosing: () => boolean
  readonly tell: (event: AdapterEvent) => void
}): Effect.Effect<void, never, Scope.Scope> =>
  Deferred.await(session.gone).pipe(
    Effect.map((reason) => {
      if (session.isClosing()) return
      session.tell(AdapterEvent.Exited({ reason: `${session.name} is gone: ${reason}` }))
    }),
    Effect.forkScoped,
    Effect.asVoid
  )

/** Waits until a session that was interrupted has ended what it worked on. */
export const untilIdle = (isWorking: () => boolean): Effect.Effect<void> =>
  Effect.sync(isWorking).pipe(
    Effect.repeat({ while: (working) => working, schedule: Schedule.spaced("50 millis") }),
    Effect.asVoid
  )
