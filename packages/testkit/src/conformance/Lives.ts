import type { ProviderInstanceId, ThreadId } from "@rejoin/contracts/Ids"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Turn } from "@rejoin/contracts/Turn"
import { BundleSpool } from "@rejoin/core/bundle/BundleSpool"
import * as Core from "@rejoin/core/Core"
import { layerMemory } from "@rejoin/core/store/MemoryThreadStore"
import type { ProviderAdapterShape } from "@rejoin/core/providers/ProviderAdapter"
import { ProviderRegistry } from "@rejoin/core/providers/ProviderRegistry"
import { ProviderService } from "@rejoin/core/ProviderService"
import { Recovery } from "@rejoin/core/life/Recovery"
import { defaults, Settings, type SettingsShape } from "@rejoin/core/Settings"
import { TerminalHost } from "@rejoin/core/terminal/TerminalHost"
import { ThreadEvents } from "@rejoin/core/events/ThreadEvents"
import { Threads } from "@rejoin/core/threads/Threads"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { Context, Effect, Exit, Layer, Option, Stream } from "effect"
import type { AdapterLayer, Harness } from "./Harness.ts"

/**
 * A database that outlives our process, over a harness's upstream. Each `life` is one run of the server: it builds
 * the core, reconciles, runs the body, and closes everything again.
 */
export const makeLives = Effect.fnUntraced(function* (
  harness: Harness,
  /** Takes what a test has measured of the agent, for the scoreboard. */
  note: (what: string, found: string) => void = () => undefined
) {
  const store = Context.get(yield* Layer.build(layerMemory), ThreadStore)

  const life = <A, E, R>(
    body: (adapter: ProviderAdapterShape) => Effect.Effect<A, E, R>,
    options: { readonly adapter?: AdapterLayer; readonly settings?: Partial<SettingsShape> } = {}
  ) =>
    Effect.gen(function* () {
      const registry = yield* ProviderRegistry
      const adapter = yield* registry.add(options.adapter ?? harness.adapter)
      const recovery = yield* Recovery
      yield* recovery.reconcile
      return yield* body(adapter)
    }).pipe(
      Effect.provide(
        Core.layerManual.pipe(
          Layer.provide(Layer.mergeAll(harness.directories, TerminalHost.layerNone, BundleSpool.layerMemory)),
          Layer.provide(Layer.succeed(Settings, { ...defaults, ...options.settings })),
          Layer.provideMerge(Layer.succeed(ThreadStore, store))
        ),
        // Within another life it is another server, and shares nothing with that one.
        { local: true }
      )
    )

  const open = Effect.fnUntraced(function* (
    options: {
      readonly provider?: ProviderInstanceId
      readonly cwd?: string
      readonly runtimeMode?: RuntimeMode
      readonly additionalDirectories?: ReadonlyArray<string>
      readonly systemPrompt?: string
    } = {}
  ) {
    const threads = yield* Threads
    const { thread } = yield* threads.create({
      provider: harness.instance,
      cwd: harness.places.repo,
      runtimeMode: "full-access",
      ...options
    })
    return thread.id
  })

  /** The newest receipt of the thread. */
  const receipt = (id: ThreadId) =>
    Effect.map(store.listReceipts(id, { limit: 1 }), ([newest]) => {
      if (newest === undefined) throw new Error("the thread has no receipt")
      return newest
    })

  const binding = (id: ThreadId) => Effect.map(store.getBinding(id), Option.getOrThrow)

  return { harness, store, life, open, receipt, binding, note }
})

export type Lives = Effect.Success<ReturnType<typeof makeLives>>

/** Sends, waits until the turn is settled, and returns it. */
export const say = Effect.fnUntraced(function* (id: ThreadId, input: string) {
  const service = yield* ProviderService
  const { id: turnId } = yield* service.send(id, { input })
  return yield* service.awaitSettled(id, turnId)
})

export const send = (id: ThreadId, input: string) =>
  Effect.flatMap(ProviderService, (service) => service.send(id, { input }))

export const settled = (id: ThreadId, turnId: Turn["id"]) =>
  Effect.flatMap(ProviderService, (service) => service.awaitSettled(id, turnId))

/** The first event of these kinds on the thread, from its beginning. */
export const event = Effect.fnUntraced(function* (
  id: ThreadId,
  types: ReadonlyArray<RuntimeEvent["type"]>,
  where: (event: RuntimeEvent) => boolean = () => true
) {
  const events = yield* ThreadEvents
  return yield* events.follow(id, 0).pipe(
    Stream.filter((event) => types.includes(event.type) && where(event)),
    Stream.runHead,
    Effect.map(Option.getOrThrow)
  )
})

/** Sends, and answers everything that the turn asks in this way until it is settled. Returns how often it asked. */
export const sayAnswering = Effect.fnUntraced(function* (
  id: ThreadId,
  input: string,
  decision: "accept" | "decline" | "cancel"
) {
  const service = yield* ProviderService
  const store = yield* ThreadStore
  const events = yield* ThreadEvents
  const { lastSeq } = yield* Effect.flatMap(Threads, (threads) => threads.record(id))
  const { id: turnId } = yield* service.send(id, { input })
  let asked = 0
  yield* events.follow(id, lastSeq).pipe(
    Stream.filter(({ type }) => type === "request.opened" || type.startsWith("turn.")),
    Stream.takeUntil((event) => event.turnId === turnId && settling.has(event.type)),
    Stream.filter(({ type }) => type === "request.opened"),
    Stream.runForEach(() =>
      Effect.gen(function* () {
        asked++
        const [request] = yield* store.listRequests(id)
        if (request !== undefined) yield* service.answer(id, request.id, { decision })
      })
    )
  )
  return { asked, turn: yield* service.awaitSettled(id, turnId) }
})

const settling = new Set(["turn.completed", "turn.failed", "turn.interrupted"])

/** The typed error of an exit; undefined where it has none. */
export const failureOf = <A, E>(exit: Exit.Exit<A, E>): E | undefined =>
  Option.getOrUndefined(Exit.findErrorOption(exit))
