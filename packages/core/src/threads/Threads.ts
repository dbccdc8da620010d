import type * as Requests from "@rejoin/contracts/api/Requests"
import type {
  CapabilityMissing,
  CwdNotAllowed,
  CwdUnavailable,
  ProviderNotFound,
  StoreFailed,
  ThreadBusy,
  ThreadNotFound
} from "@rejoin/contracts/Errors"
import * as E from "@rejoin/contracts/Errors"
import type { ThreadId, TurnId } from "@rejoin/contracts/Ids"
import type { Item } from "@rejoin/contracts/Item"
import type { Thread, ThreadKey } from "@rejoin/contracts/Thread"
import { Context, Effect, Layer, Option, Semaphore } from "effect"
import { newThread } from "./NewThread.ts"
import { makeSnapshots, type Snapshot } from "./ThreadSnapshot.ts"
import { LiveSessions } from "../sessions/LiveSessions.ts"
import type { ProviderAdapterShape } from "../providers/ProviderAdapter.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import type { ThreadRecord } from "../store/Records.ts"
import { Settings } from "../Settings.ts"
import { SessionEnd } from "../sessions/SessionEnd.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { type Page, ThreadStore } from "../store/ThreadStore.ts"
import { forkTitle } from "./ThreadTitle.ts"
import { WorkingDirectory } from "./WorkingDirectory.ts"

/** The durable conversations as the user knows them. */
export class Threads extends Context.Service<
  Threads,
  {
    /** The same key gives the same thread; `created` tells whether it is new. Starts no session. */
    readonly create: (
      request: Requests.CreateThread & { readonly cwd: string }
    ) => Effect.Effect<
      { readonly thread: Thread; readonly created: boolean },
      ProviderNotFound | CapabilityMissing | CwdNotAllowed | CwdUnavailable | StoreFailed
    >
    /** A thread that begins as a fork of another one, with that one's provider, powers and environment. */
    readonly fork: (
      origin: ThreadRecord,
      to: { readonly cwd: string; readonly turnId?: TurnId | undefined }
    ) => Effect.Effect<Thread, StoreFailed>
    readonly get: (id: ThreadId) => Effect.Effect<Thread, ThreadNotFound | StoreFailed>
    readonly find: (key: ThreadKey) => Effect.Effect<Option.Option<Thread>, StoreFailed>
    /** Newest first. One that cannot be read does not hide the others, nor those on the next page. */
    readonly list: (
      page: Page & { readonly project?: string | undefined }
    ) => Effect.Effect<{ readonly items: ReadonlyArray<Thread>; readonly next?: string }, StoreFailed>
    /**
     * Forgets the thread; the upstream session stays. Refused during a turn; where `unused`, if it ever had a turn or
     * a session.
     */
    readonly remove: (
      id: ThreadId,
      options?: { readonly unused: true }
    ) => Effect.Effect<void, ThreadNotFound | ThreadBusy | StoreFailed>
    /** The thread as it is now, with what streams included: events after `thread.lastSeq` go on from it. */
    readonly snapshot: (id: ThreadId, items: number) => Effect.Effect<Snapshot, ThreadNotFound | StoreFailed>
    readonly items: (
      id: ThreadId,
      page: { readonly before?: string | undefined; readonly limit: number }
    ) => Effect.Effect<ReadonlyArray<Item>, ThreadNotFound | StoreFailed>
    readonly record: (id: ThreadId) => Effect.Effect<ThreadRecord, ThreadNotFound | StoreFailed>
  }
>()("@rejoin/core/Threads") {
  static readonly layer = Layer.effect(
    Threads,
    Effect.gen(function* () {
      const store = yield* ThreadStore
      const events = yield* ThreadEvents
      const sessions = yield* LiveSessions
      const { items, record, snapshot, view } = yield* makeSnapshots
      const ending = yield* SessionEnd
      const registry = yield* ProviderRegistry
      const directories = yield* WorkingDirectory
      const settings = yield* Settings
      const creating = Semaphore.makeUnsafe(1)

      const insert = Effect.fnUntraced(function* (
        request: Omit<Requests.CreateThread, "cwd">,
        { cwd, driver, forkedFrom }: Pick<ThreadRecord, "cwd" | "driver" | "forkedFrom">
      ) {
        const { binding, rejected, thread } = yield* newThread(
          request,
          { cwd, driver, ...(forkedFrom && { forkedFrom }) },
          settings
        )
        yield* events.transact({ threadId: thread.id, generation: 0 }, (emit) =>
          Effect.map(store.insertThread(thread, binding), () => {
            emit({
              type: "thread.updated",
              data: { title: thread.title, cwd, runtimeMode: thread.runtimeMode }
            })
            if (rejected.length > 0) {
              const message = `These variables may not be set for a thread and were left out: ${rejected.join(", ")}. The operator can allow them: extraEnv in config.json.`
              emit({ type: "warning", data: { message } })
            }
          })
        )
        return yield* Effect.flatMap(record(thread.id), view).pipe(
          Effect.catchTag("ThreadNotFound", Effect.die)
        )
      })

      const fork = (
        {
          additionalDirectories,
          driver,
          extraEnv,
          id,
          model,
          project,
          provider,
          runtimeMode,
          systemPrompt,
          title
        }: ThreadRecord,
        { cwd, turnId }: { readonly cwd: string; readonly turnId?: TurnId | undefined }
      ) =>
        insert(
          {
            provider,
            runtimeMode,
            extraEnv,
            additionalDirectories,
            ...(systemPrompt !== undefined && { systemPrompt }),
            ...(title !== "" && { title: forkTitle(title) }),
            ...(project !== null && { project }),
            ...(model !== null && { model })
          },
          { driver, cwd, forkedFrom: { threadId: id, ...(turnId && { turnId }) } }
        )

      const find = (key: ThreadKey) =>
        Effect.flatMap(
          store.findThread(key),
          Option.match({
            onNone: () => Effect.succeedNone,
            onSome: (thread) => Effect.asSome(view(thread))
          })
        )

      /** What was asked for and cannot be had is refused; a default that cannot be had is left out, and told. */
      const promptOf = Effect.fnUntraced(function* (
        { systemPrompt }: Requests.CreateThread,
        adapter: ProviderAdapterShape
      ) {
        const wanted = systemPrompt ?? settings.systemPrompt
        if (wanted === null) return {}
        const { capabilities } = yield* adapter.info
        if (capabilities.systemPrompt) return { systemPrompt: wanted }
        if (systemPrompt === undefined) {
          yield* Effect.logWarning(
            `${adapter.id} takes no system prompt: the one of the settings is left out.`
          )
          return {}
        }
        return yield* new E.CapabilityMissing({
          capability: "systemPrompt",
          message: "This provider takes no system prompt."
        })
      })

      const create = Effect.fn("Threads.create")(function* (
        request: Requests.CreateThread & { readonly cwd: string }
      ) {
        // A thread that is there is found whatever has become of its provider and its directory.
        const known = request.key === undefined ? Option.none<Thread>() : yield* find(request.key)
        if (Option.isSome(known)) return { thread: known.value, created: false }
        const adapter = yield* registry.get(request.provider)
        if (request.additionalDirectories !== undefined && request.additionalDirectories.length > 0) {
          const { capabilities } = yield* adapter.info
          if (!capabilities.additionalDirectories) {
            return yield* new E.CapabilityMissing({
              capability: "additionalDirectories",
              message: "This provider cannot be given directories beside the thread's own."
            })
          }
        }
        const systemPrompt = yield* promptOf(request, adapter)
        const { driver } = adapter
        const cwd = yield* directories.admit(request.cwd)
        const additionalDirectories = yield* Effect.forEach(
          request.additionalDirectories ?? [],
          directories.admit
        )
        // One at a time: two requests with one key must not make two threads.
        return yield* creating.withPermit(
          Effect.gen(function* () {
            const ofKey = request.key === undefined ? Effect.succeedNone : find(request.key)
            const existing = yield* ofKey
            if (Option.isSome(existing)) return { thread: existing.value, created: false }
            const all = { ...request, ...systemPrompt, additionalDirectories }
            return yield* insert(all, { driver, cwd }).pipe(
              Effect.map((thread) => ({ thread, created: true })),
              // Another server may have made it in this moment.
              Effect.catchTag("StoreFailed", (error) =>
                Effect.flatMap(
                  ofKey,
                  Option.match({
                    onNone: () => Effect.fail(error),
                    onSome: (thread) => Effect.succeed({ thread, created: false })
                  })
                )
              )
            )
          })
        )
      })

      const remove = Effect.fn("Threads.remove")(function* (id: ThreadId, options?: { unused: true }) {
        yield* record(id)
        yield* sessions.withLease(id)(
          Effect.gen(function* () {
            const used = Effect.gen(function* () {
              if (options?.unused !== true) {
                const waiting = yield* store.deferredTurns({ threadId: id })
                return waiting.length + (yield* store.openTurns(id)).length > 0
              }
              const binding = Option.getOrThrow(yield* store.getBinding(id))
              return (
                binding.providerSessionId !== null || (yield* store.listTurns(id, { limit: 1 })).length > 0
              )
            })
            const idle = Effect.flatMap(used, (used) => (used ? threadBusy(id) : Effect.void))
            yield* idle
            const live = sessions.get(id)
            if (live !== undefined)
              yield* ending.end(live, { event: "session.exited", reason: "the thread was deleted" })
            yield* events.transact({ threadId: id, generation: 0 }, (emit) =>
              Effect.gen(function* () {
                // A turn may have been accepted meanwhile: it is not lost with its thread (law 6).
                yield* idle
                const { lastSeq } = yield* record(id)
                yield* store.deleteThread(id)
                emit({ type: "thread.deleted", seq: lastSeq + 1 })
              })
            )
          })
        )
      })

      return Threads.of({
        create,
        fork,
        get: (id) => Effect.flatMap(record(id), view),
        find,
        list: Effect.fn("Threads.list")(function* (page) {
          const found = yield* store.listThreads(page)
          // One thread whose binding cannot be read does not hide the others (E12).
          const views = yield* Effect.forEach(found, (thread) =>
            view(thread).pipe(
              Effect.asSome,
              Effect.catchIf(
                // While the database is away nothing is known of any.
                ({ away }) => away !== true,
                ({ message }) =>
                  Effect.as(
                    Effect.logWarning(`The thread ${thread.id} is passed over.`, message),
                    Option.none()
                  )
              )
            )
          )
          const last = found.length === page.limit ? found.at(-1) : undefined
          return { items: views.flatMap(Option.toArray), ...(last && { next: last.id }) }
        }),
        remove,
        snapshot,
        items,
        record
      })
    })
  )
}

export const threadBusy = (threadId: string) =>
  new E.ThreadBusy({
    threadId,
    message: "The thread has a turn that is not settled.",
    hint: "Wait for it, or interrupt it; one that waits for its time can be withdrawn."
  })
