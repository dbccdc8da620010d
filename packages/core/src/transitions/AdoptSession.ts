import type * as Requests from "@rejoin/contracts/api/Requests"
import * as E from "@rejoin/contracts/Errors"
import type { Thread } from "@rejoin/contracts/Thread"
import { Effect, Option, Semaphore } from "effect"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { makeEarlier, writeEarlier } from "../conversation/Earlier.ts"
import type { ProviderAdapterShape } from "../providers/ProviderAdapter.ts"
import { ProviderCall } from "../providers/ProviderCall.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { Settings } from "../Settings.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { newThread } from "../threads/NewThread.ts"
import { Threads } from "../threads/Threads.ts"
import { WorkingDirectory } from "../threads/WorkingDirectory.ts"

/** A session of the agent's own becomes a thread: with all that was said in it, and nothing of it is touched. */
export const makeAdopt = Effect.gen(function* () {
  const registry = yield* ProviderRegistry
  const directories = yield* WorkingDirectory
  const threads = yield* Threads
  const events = yield* ThreadEvents
  const store = yield* ThreadStore
  const settings = yield* Settings
  const call = yield* ProviderCall
  const earlier = makeEarlier(call)
  const adopting = Semaphore.makeUnsafe(1)

  /** Where it works; one whose directory is gone can be read, and is refused at its next turn. */
  const placeOf = Effect.fnUntraced(function* (wanted: string | undefined, own: string | null) {
    if (wanted !== undefined) return yield* directories.admit(wanted)
    if (own === null) {
      return yield* new E.InvalidInput({
        field: "cwd",
        message: "Where it worked is not told: name a directory."
      })
    }
    return yield* directories.admit(own).pipe(Effect.catchTag("CwdUnavailable", () => Effect.succeed(own)))
  })

  const adopt = Effect.fnUntraced(function* (
    request: Requests.CreateThread & { readonly session: string },
    adapter: ProviderAdapterShape,
    own: NonNullable<ProviderAdapterShape["own"]>
  ) {
    const found = yield* call.within(adapter, "sessions", own.find(request.session))
    if (Option.isNone(found)) {
      return yield* new E.SessionNotFound({
        providerSessionId: request.session,
        message: `${adapter.id} has no session ${request.session}.`,
        hint: "`rejoin sessions` lists those that it has."
      })
    }
    const { cursor, session } = found.value
    const { providerSessionId, storeId } = cursor
    const known = yield* store.findSession({ driver: adapter.driver, storeId, providerSessionId })
    if (Option.isSome(known)) {
      return {
        thread: yield* Effect.catchTag(threads.get(known.value), "ThreadNotFound", Effect.die),
        created: false
      }
    }
    const cwd = yield* placeOf(request.cwd, session.cwd)
    const { session: _, ...rest } = request
    const rows = yield* newThread(
      { ...rest, title: request.title ?? session.title },
      { cwd, driver: adapter.driver },
      settings
    )
    const { id } = rows.thread
    const { mark, turns } = yield* earlier(adapter, own, cursor, {
      threadId: id,
      generation: 0,
      cwd: session.cwd ?? cwd
    })
    yield* events
      .transact({ threadId: id, generation: 0 }, (emit) =>
        Effect.gen(function* () {
          const { createdAt, updatedAt } = session
          const status = turns.length === 0 ? ("idle" as const) : ("done" as const)
          yield* store.insertThread({ ...rows.thread, status, lastActivityAt: updatedAt }, rows.binding)
          yield* store.saveBinding({
            ...rows.binding,
            storeId,
            providerSessionId,
            cursor: adapter.encodeCursor(cursor),
            cwd: session.cwd,
            status: "stopped",
            prior: "some",
            mark,
            createdAt
          })
          yield* writeEarlier(store, turns)
          emit({
            type: "thread.updated",
            data: { title: rows.thread.title, cwd, runtimeMode: rows.thread.runtimeMode }
          })
        })
      )
      // It was looked for in here, one at a time.
      .pipe(Effect.catchTags({ StaleGeneration: Effect.die, SessionHeldElsewhere: Effect.die }))
    return { thread: yield* Effect.catchTag(threads.get(id), "ThreadNotFound", Effect.die), created: true }
  })

  return Effect.fn("ProviderService.adopt")(function* (
    request: Requests.CreateThread & { readonly session: string }
  ): Effect.fn.Return<
    { readonly thread: Thread; readonly created: boolean },
    | E.ProviderNotFound
    | E.CapabilityMissing
    | E.CwdNotAllowed
    | E.CwdUnavailable
    | E.InvalidInput
    | E.SessionNotFound
    | E.ProviderFailed
    | E.ProviderTimeout
    | E.ProviderUnavailable
    | E.StoreFailed
  > {
    const adapter = yield* registry.get(request.provider)
    if (adapter.own === undefined) {
      return yield* new E.CapabilityMissing({
        capability: "sessions",
        message: `What ${adapter.id} has of its own is out of reach.`
      })
    }
    // One at a time: two requests for one session must not make two threads.
    return yield* adopting.withPermit(adopt(request, adapter, adapter.own))
  })
})
