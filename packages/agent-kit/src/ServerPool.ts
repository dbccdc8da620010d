import { ProviderUnavailable } from "@rejoin/contracts/Errors"
import { Deferred, type Duration, Effect, RcMap, Result, type Scope, Semaphore } from "effect"
import type { AdapterFailure } from "@rejoin/core/providers/ResumeCursor"

/** What tells the servers of a pool apart, in any order of its fields. */
export const poolKey = (key: Readonly<Record<string, unknown>>): string =>
  JSON.stringify(key, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value
  )

/** A provider's own process that serves many threads. */
interface Pooled {
  /** Done when it is gone, with all that it started. */
  readonly gone: Deferred.Deferred<string>
}

/**
 * Servers that are shared by all threads with the same key. One ends when nobody has used it for a while; one that
 * failed to start, or is gone, is not handed out again.
 */
export const makeServerPool = Effect.fnUntraced(function* <Key, Server extends Pooled, R>(options: {
  readonly provider: string
  /** What an error calls it. */
  readonly name: string
  readonly start: (key: Key) => Effect.Effect<Server, AdapterFailure, R>
  readonly startTimeout?: Duration.Input
  readonly idleTimeToLive?: Duration.Input
}) {
  const { idleTimeToLive = "5 minutes", name, provider, start, startTimeout = "45 seconds" } = options
  const unavailable = (message: string) => new ProviderUnavailable({ provider, message })
  const servers = yield* RcMap.make({
    lookup: (key: string) =>
      start(JSON.parse(key) as Key).pipe(
        Effect.timeoutOrElse({
          duration: startTimeout,
          orElse: () => Effect.fail(unavailable(`${name} did not come up in time.`))
        })
      ),
    idleTimeToLive
  })

  // One a key: a server that is slow to start holds up none of another kind.
  const replacing = new Map<string, { readonly lock: Semaphore.Semaphore; users: number }>()
  const alone =
    (key: string) =>
    <A, E, R>(body: Effect.Effect<A, E, R>) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          const entry = replacing.get(key) ?? { lock: Semaphore.makeUnsafe(1), users: 0 }
          replacing.set(key, entry)
          entry.users++
          return entry
        }),
        ({ lock }) => lock.withPermit(body),
        (entry) =>
          Effect.sync(() => {
            if (--entry.users === 0) replacing.delete(key)
          })
      )
  const isAlive = ({ gone }: Server) => !Deferred.isDoneUnsafe(gone)

  const acquire = Effect.fnUntraced(function* (
    key: string
  ): Effect.fn.Return<Server, AdapterFailure, Scope.Scope> {
    const first = yield* Effect.result(RcMap.get(servers, key))
    if (Result.isSuccess(first) && isAlive(first.success)) return first.success
    // One at a time: of two that saw it dead, the second must not throw away what the first has started.
    return yield* alone(key)(
      Effect.gen(function* () {
        for (let attempt = 0; attempt < 2; attempt++) {
          const got = yield* Effect.result(RcMap.get(servers, key))
          if (Result.isSuccess(got) && isAlive(got.success)) return got.success
          yield* RcMap.invalidate(servers, key)
          if (Result.isFailure(got)) return yield* got.failure
        }
        const last = yield* RcMap.get(servers, key)
        return isAlive(last) ? last : yield* unavailable(`${name} ends as soon as it is started.`)
      })
    )
  })

  return { acquire }
})
