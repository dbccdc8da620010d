import { ProviderInstanceId } from "@rejoin/contracts/Ids"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import type { Turn } from "@rejoin/contracts/Turn"
import { Context, Effect, Exit, identity, Layer, Option, Stream } from "effect"
import { BundleSpool } from "../bundle/BundleSpool.ts"
import * as Core from "../Core.ts"
import { layerMemory } from "../store/MemoryThreadStore.ts"
import { ProviderRegistry } from "../providers/ProviderRegistry.ts"
import { ProviderService } from "../ProviderService.ts"
import { Recovery } from "../life/Recovery.ts"
import { defaults, Settings, type SettingsShape } from "../Settings.ts"
import { type Holder, TerminalHost } from "../terminal/TerminalHost.ts"
import type { TerminalReport } from "../terminal/TerminalReports.ts"
import { ThreadEvents } from "../events/ThreadEvents.ts"
import { Threads } from "../threads/Threads.ts"
import { ThreadStore } from "../store/ThreadStore.ts"
import { WorkingDirectory } from "../threads/WorkingDirectory.ts"
import { layerInMemoryAdapter } from "./InMemoryAdapter.ts"
import { InMemoryUpstream } from "./InMemoryUpstream.ts"

/** The user's own terminal: what runs there, and what the agent's hook wrote. */
export interface Terminal {
  runs: Holder
  reports: ReadonlyArray<TerminalReport>
}

/**
 * A database and an upstream that outlive our process, for tests of what a restart must keep. Each `life` is one
 * run of the server: it builds the core, reconciles, runs the body, and closes everything again.
 */
export const makeWorld = Effect.fnUntraced(function* <E = never>(
  settings: Partial<SettingsShape> = {},
  decorate: (store: ThreadStore["Service"]) => ThreadStore["Service"] = identity,
  stored: Layer.Layer<ThreadStore, E> = layerMemory
) {
  const upstream = new InMemoryUpstream()
  const store = decorate(Context.get(yield* Layer.build(stored), ThreadStore))
  const terminal: Terminal = { runs: "none", reports: [] }
  const terminalHost = Layer.succeed(TerminalHost, {
    open: (id) => Effect.succeed(`/scratch/${id}`),
    reports: () => Effect.sync(() => terminal.reports),
    holds: () => Effect.sync(() => terminal.runs),
    close: () => Effect.void
  })
  const layer = Core.layerManual.pipe(
    Layer.provide(Layer.mergeAll(WorkingDirectory.layerAnything, terminalHost, BundleSpool.layerMemory)),
    Layer.provide(Layer.succeed(Settings, { ...defaults, ...settings })),
    Layer.provideMerge(Layer.succeed(ThreadStore, store))
  )
  const life = <A, E, R>(body: Effect.Effect<A, E, R>) =>
    Effect.gen(function* () {
      const registry = yield* ProviderRegistry
      yield* registry.add(layerInMemoryAdapter(upstream))
      const recovery = yield* Recovery
      yield* recovery.reconcile
      return yield* body
    }).pipe(Effect.provide(layer))
  return { upstream, store, terminal, life }
})

export const memory = ProviderInstanceId.make("memory")

/** A new thread on the in-memory provider. */
export const openThread = Effect.fnUntraced(function* (
  options: { readonly cwd?: string; readonly runtimeMode?: RuntimeMode } = {}
) {
  const threads = yield* Threads
  const { thread } = yield* threads.create({ provider: memory, cwd: "/work", ...options })
  return thread.id
})

/** Sends, waits until the turn is settled, and returns it. */
export const say = Effect.fnUntraced(function* (threadId: Turn["threadId"], input: string) {
  const service = yield* ProviderService
  const accepted = yield* service.send(threadId, { input })
  return yield* service.awaitSettled(threadId, accepted.id)
})

/** The first event of this kind on the thread, from its beginning. */
export const event = Effect.fnUntraced(function* (
  threadId: Turn["threadId"],
  type: RuntimeEvent["type"],
  where: (event: RuntimeEvent) => boolean = () => true
) {
  const events = yield* ThreadEvents
  return yield* events.follow(threadId, 0).pipe(
    Stream.filter((event) => event.type === type && where(event)),
    Stream.runHead,
    Effect.map(Option.getOrThrow)
  )
})

/** Sends a turn that goes on until it is ended, and returns its id once it runs. */
export const sendHeld = Effect.fnUntraced(function* (threadId: Turn["threadId"]) {
  const service = yield* ProviderService
  const turn = yield* service.send(threadId, { input: "hold" })
  yield* event(threadId, "turn.started", ({ turnId }) => turnId === turn.id)
  return turn.id
})

export const settled = (threadId: Turn["threadId"], turnId: Turn["id"]) =>
  Effect.flatMap(ProviderService, (service) => service.awaitSettled(threadId, turnId))

/** The typed error of an exit; undefined where it has none. */
export const failureOf = <A, E>(exit: Exit.Exit<A, E>): E | undefined =>
  Option.getOrUndefined(Exit.findErrorOption(exit))
