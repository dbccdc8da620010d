import { Clock, Context, Duration, Effect, Layer, Option, Schedule } from "effect"
import { type LiveSession, LiveSessions } from "./LiveSessions.ts"
import { quietAfter } from "./Quiet.ts"
import { SessionEnd } from "./SessionEnd.ts"
import { makeStallWatch } from "./StalledTurns.ts"
import { Settings } from "../Settings.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { isElsewhere } from "../store/Ownership.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { ProviderCall } from "../providers/ProviderCall.ts"

export type Verdict = "keep" | "defer" | "reap" | "reap-background"

/** Whether an idle session is stopped. A running turn or a pending request is never given up (law 8). */
export const verdict = (
  session: {
    readonly busy: boolean
    readonly background: boolean
    readonly idle: number
    readonly deferred: number
  },
  limits: { readonly idle: number; readonly defer: number }
): Verdict => {
  if (session.busy || session.idle < limits.idle) return "keep"
  if (!session.background) return "reap"
  return session.deferred < limits.defer ? "defer" : "reap-background"
}

/**
 * Stops sessions that have been idle for long enough; their bindings stay, and the next turn finds them again. A
 * running turn that is silent for long is told, and left alone.
 */
export class SessionReaper extends Context.Service<
  SessionReaper,
  {
    /** One sweep, now. Returns how many sessions were reaped. */
    readonly sweep: Effect.Effect<number>
  }
>()("@rejoin/core/SessionReaper") {
  static readonly layerManual = Layer.effect(
    SessionReaper,
    Effect.gen(function* () {
      const sessions = yield* LiveSessions
      const ending = yield* SessionEnd
      const store = yield* ThreadStore
      const events = yield* ThreadEvents
      const settings = yield* Settings
      const call = yield* ProviderCall
      const limits = { idle: Duration.toMillis(settings.idle), defer: Duration.toMillis(settings.defer) }
      const stall = yield* makeStallWatch
      let last = yield* Clock.currentTimeMillis

      const isBusy = Effect.fnUntraced(function* (live: LiveSession) {
        if (live.turn !== undefined || live.ended) return true
        if ((yield* store.openTurns(live.threadId)).length > 0) return true
        return (yield* store.listRequests(live.threadId)).length > 0
      })

      const look = Effect.fnUntraced(function* (live: LiveSession, elapsed: number) {
        const { adapter, session } = live
        const busy = yield* isBusy(live)
        const background =
          !busy && live.idle >= limits.idle
            ? yield* call
                .within(adapter, "activity", session.background)
                .pipe(Effect.orElseSucceed(() => true))
            : false
        const decision = verdict({ busy, background, idle: live.idle, deferred: live.deferred }, limits)
        if (decision === "keep") return false
        if (decision === "defer") {
          live.deferred += elapsed
          return false
        }
        if (decision === "reap-background") {
          const message =
            "The session was stopped although it works in the background: it has done so for too long."
          yield* events.emit(live, { type: "warning", data: { message, deferredMillis: live.deferred } })
        }
        yield* ending.end(live, { event: "session.reaped", reason: "idle" })
        return true
      })

      const sweep = Effect.gen(function* () {
        const at = yield* Clock.currentTimeMillis
        const elapsed = Math.max(0, at - last)
        last = at
        let reaped = 0
        for (const live of sessions.list()) {
          yield* stall(live, elapsed)
          live.idle = quietAfter(
            live.idle,
            elapsed,
            live.touched || live.turn !== undefined,
            Duration.toMillis(settings.sweep)
          )
          if (live.touched) live.deferred = 0
          live.touched = false
          // A thread whose lease is held is about to be used.
          const done = yield* sessions
            .ifFree(live.threadId)(look(live, elapsed))
            // One that another machine has taken over is ended as soon as that is known.
            .pipe(Effect.catchIf(isElsewhere, () => Effect.succeedNone))
          if (Option.isSome(done) && done.value) reaped++
        }
        return reaped
      }).pipe(
        Effect.catchCause((cause) => Effect.as(Effect.logError("The reaper's sweep failed.", cause), 0)),
        Effect.withSpan("SessionReaper.sweep")
      )

      return SessionReaper.of({ sweep })
    })
  )

  static readonly layer = Layer.effectDiscard(
    Effect.gen(function* () {
      const reaper = yield* SessionReaper
      const { sweep } = yield* Settings
      yield* reaper.sweep.pipe(Effect.delay(sweep), Effect.repeat(Schedule.forever), Effect.forkScoped)
    })
  ).pipe(Layer.provideMerge(SessionReaper.layerManual))
}
