import type { StoreFailed } from "@rejoin/contracts/Errors"
import type { ThreadId } from "@rejoin/contracts/Ids"
import { Clock, Context, DateTime, Effect, Layer, Schedule } from "effect"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import type { ThreadRecord } from "../store/Records.ts"
import { type RetentionLimits, Settings } from "../Settings.ts"
import { ThreadStore } from "../store/ThreadStore.ts"

const day = 24 * 60 * 60 * 1000

const clamp = (value: number, most: number): number => Math.min(most, Math.max(1, Math.floor(value)))

/** The limits within their bounds, whoever wrote them (S17). */
export const clampRetention = ({ days, sessions }: RetentionLimits): RetentionLimits => ({
  sessions: clamp(sessions, 50),
  days: clamp(days, 365)
})

/**
 * The threads whose events and transcripts go: in each project those beyond the newest so many, then those that have
 * not been used for so many days. Never one that works. A thread that has nothing more to give counts for nothing.
 */
export const outdated = (
  threads: ReadonlyArray<
    Pick<ThreadRecord, "id" | "project" | "lastActivityAt"> & { readonly busy: boolean }
  >,
  limits: RetentionLimits,
  now: number
): ReadonlyArray<ThreadId> => {
  const { days, sessions } = clampRetention(limits)
  const projects = Map.groupBy(threads, ({ project }) => project)
  return [...projects.values()].flatMap((own) =>
    own
      .map((thread) => ({
        ...thread,
        used: DateTime.toEpochMillis(DateTime.makeUnsafe(thread.lastActivityAt))
      }))
      .toSorted((a, b) => b.used - a.used)
      .filter(({ busy, used }, i) => !busy && (i >= sessions || now - used > days * day))
      .map(({ id }) => id)
  )
}

/**
 * Keeps the database small where the operator wants it: events and transcripts go, never a thread, its binding, its
 * turns or its receipts. A reader of what is gone is told of a gap.
 */
export class Retention extends Context.Service<
  Retention,
  {
    /** Once, now; the threads that were purged. Nothing where retention is off. */
    readonly sweep: Effect.Effect<ReadonlyArray<ThreadId>, StoreFailed>
  }
>()("@rejoin/core/Retention") {
  static readonly layerManual = Layer.effect(
    Retention,
    Effect.gen(function* () {
      const store = yield* ThreadStore
      const sessions = yield* LiveSessions
      const { retention } = yield* Settings

      const all = Effect.fnUntraced(function* () {
        const threads: Array<ThreadRecord> = []
        while (true) {
          const page = yield* store.listThreads({ after: threads.at(-1)?.id, limit: 500, kept: true })
          threads.push(...page)
          if (page.length < 500) return threads
        }
      })

      const sweep = Effect.gen(function* () {
        if (retention === null) return []
        const waiting = yield* store.deferredTurns("all")
        const working = new Set(
          [...(yield* store.openTurns("all")), ...waiting].map(({ threadId }) => threadId)
        )
        const threads = (yield* all()).map((thread) => ({
          ...thread,
          busy: working.has(thread.id) || sessions.get(thread.id) !== undefined
        }))
        // Each server what it runs: whether another one is busy with a thread is known there alone.
        const gone = yield* store.ownership.ours(outdated(threads, retention, yield* Clock.currentTimeMillis))
        for (const id of gone) yield* store.purgeThread(id)
        return gone
      }).pipe(Effect.withSpan("Retention.sweep"))

      return Retention.of({ sweep })
    })
  )

  /** At the start, and every hour. */
  static readonly layer = Layer.effectDiscard(
    Effect.gen(function* () {
      const retention = yield* Retention
      yield* retention.sweep.pipe(
        Effect.catch((error) => Effect.logWarning("What is outdated could not be removed.", error)),
        Effect.repeat(Schedule.spaced("1 hour")),
        Effect.forkScoped
      )
    })
  ).pipe(Layer.provideMerge(Retention.layerManual))
}
