import type { ThreadId } from "@rejoin/contracts/Ids"
import { BundleSpool } from "@rejoin/core/bundle/BundleSpool"
import * as Core from "@rejoin/core/Core"
import { ProviderAdapter } from "@rejoin/core/providers/ProviderAdapter"
import { ProviderRegistry } from "@rejoin/core/providers/ProviderRegistry"
import { Recovery } from "@rejoin/core/life/Recovery"
import { defaults, Settings } from "@rejoin/core/Settings"
import { makeInMemoryAdapter } from "@rejoin/core/testing/InMemoryAdapter"
import { InMemoryUpstream } from "@rejoin/core/testing/InMemoryUpstream"
import { ThreadEvents } from "@rejoin/core/events/ThreadEvents"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { TerminalHost } from "@rejoin/core/terminal/TerminalHost"
import { WorkingDirectory } from "@rejoin/core/threads/WorkingDirectory"
import { Context, Deferred, Duration, Effect, Exit, Fiber, Layer, Option, Stream } from "effect"
import { crashingAdapter } from "./CrashingAdapter.ts"
import { crashingStore } from "./CrashingStore.ts"
import { type Death, makeDeath } from "./CrashPoint.ts"
import { conclude } from "./InMemoryConclusion.ts"
import { actor, other } from "./InMemorySteps.ts"
import { knownThreads, makeWitness } from "./InMemoryWitness.ts"
import type { Mutation } from "./Mutation.ts"
import { type Observation, type ObservedThread, violations } from "./Observation.ts"
import { patiently } from "./Patience.ts"
import type { Scenario, Step } from "./Scenario.ts"

/** What one run came to. */
export interface Run {
  readonly violations: ReadonlyArray<string>
  /** Where each life was killed. */
  readonly deaths: ReadonlyArray<string>
  readonly observation: Observation
}

interface Options {
  /** What breaks a law on purpose. */
  readonly mutation?: Mutation
  /** Outlives the lives; in memory where none is given. */
  readonly store: ThreadStore["Service"]
}

/** Runs a scenario on the core and the in-memory agent, over its lives, and says which laws it saw broken. */
export const runInMemory = Effect.fn("runInMemory")(function* (scenario: Scenario, options: Options) {
  const { mutation, store } = options
  const upstream = new InMemoryUpstream()
  // One upstream for both: what was asked and written is seen in one place.
  const adapters = [makeInMemoryAdapter(upstream), makeInMemoryAdapter(upstream, other, other)]
  const witness = makeWitness(store, upstream)
  const { accepted, breaks, carried, forbidden, recalled, removed, seen, told, where, widened } = witness
  const deaths: Array<string> = []
  let rest = scenario.steps

  const layerOf = (death: Death) => {
    const crashing = crashingStore(mutation?.store?.(store) ?? store, death.reach)
    const core = Core.layerManual.pipe(
      Layer.provide(
        Layer.mergeAll(WorkingDirectory.layerAnything, TerminalHost.layerNone, BundleSpool.layerMemory)
      ),
      Layer.provide(Layer.succeed(Settings, { ...defaults, idle: Duration.zero })),
      Layer.provideMerge(Layer.succeed(ThreadStore, crashing))
    )
    return mutation?.core ? Layer.provideMerge(mutation.core, core) : core
  }

  const act = actor(witness)

  const life = (death: Death, last: boolean) =>
    Effect.gen(function* () {
      const registry = yield* ProviderRegistry
      for (const adapter of adapters) {
        const crashing = crashingAdapter(mutation?.adapter?.(adapter) ?? adapter, death.reach)
        yield* registry.add(Layer.succeed(ProviderAdapter, crashing))
      }
      const reconciled = yield* patiently(
        Effect.flatMap(Recovery, ({ reconcile }) => reconcile),
        death.isDead
      )
      if (death.isDead()) return
      if (Option.isSome(reconciled) && Exit.isFailure(reconciled.value)) {
        told.push("the start-up failed")
        return
      }
      const events = yield* ThreadEvents
      yield* events.follow(undefined, seen.at(-1)?.position ?? 0).pipe(
        Stream.runForEach((event) => Effect.sync(() => death.isDead() || seen.push(event))),
        Effect.forkChild
      )
      const under: Array<Fiber.Fiber<unknown, unknown>> = []
      const overlapping = (step: Step) =>
        act(step).pipe(
          Effect.exit,
          Effect.tap((exit) =>
            Effect.sync(() => {
              const defect = Exit.isFailure(exit) && Option.isNone(Exit.findErrorOption(exit))
              if (defect && !death.isDead()) told.push(`${step._tag}: ${String(exit.cause)}`)
            })
          )
        )
      while (rest.length > 0 && !death.isDead()) {
        const [next, ...others] = rest
        rest = others
        if (next === undefined) break
        const { gap, step } = next
        // What it is to wait for must be over: both look at the upstream before they act.
        if (step._tag === "Pause" || step._tag === "Remove") {
          yield* patiently(Fiber.awaitAll(under), death.isDead)
        }
        under.push(yield* Effect.forkChild(overlapping(step)))
        for (let i = 0; i < gap; i++) yield* Effect.yieldNow
      }
      yield* patiently(Fiber.awaitAll(under), death.isDead)
      if (death.isDead() || !last) return
      const concluded = yield* patiently(conclude(witness), death.isDead)
      if (Option.isSome(concluded) && Exit.isFailure(concluded.value)) {
        told.push(`the end failed: ${String(concluded.value.cause)}`)
      }
      yield* events.flush
      for (let i = 0; i < 40; i++) yield* Effect.yieldNow
    }).pipe(
      Effect.catchDefect((defect) =>
        Effect.sync(() => death.isDead() || told.push(`a life ended in a defect: ${String(defect)}`))
      ),
      Effect.scoped,
      Effect.provide(layerOf(death)),
      // A store that dies while the core is built.
      Effect.catchDefect(() => Effect.void)
    )

  for (const at of scenario.crashes) {
    const death = makeDeath(at, scenario.schedule)
    yield* life(death, false)
    if (death.isDead()) deaths.push(yield* Deferred.await(death.dead))
    if (upstream.open > 0) told.push(`law 9: ${upstream.open} connections outlived a life`)
  }
  yield* life(makeDeath(undefined, scenario.schedule), true)
  // What could not be undone while its provider was away is undone now.
  yield* Effect.provide(
    Effect.gen(function* () {
      const registry = yield* ProviderRegistry
      for (const adapter of adapters) yield* registry.add(Layer.succeed(ProviderAdapter, adapter))
      yield* Effect.flatMap(Recovery, ({ reconcile }) => reconcile)
    }),
    layerOf(makeDeath(undefined, 0))
  )

  for (const id of upstream.crowded) told.push(`law 5: two worked on ${id} at once`)
  for (const [id, paths] of forbidden) {
    for (const path of widened.has(id) ? [] : paths) {
      if (upstream.writes.some((write) => write.path === path))
        told.push(`law 4: ${id}, which was always read-only, wrote ${path}`)
    }
  }
  const observed = Effect.fnUntraced(function* (id: ThreadId) {
    const thread = Option.getOrThrow(yield* store.getThread(id))
    const binding = Option.getOrThrow(yield* store.getBinding(id))
    const lineage = yield* store.listLineage(id)
    const receipts = yield* store.listReceipts(id, { limit: 500 })
    const own: ObservedThread = {
      id,
      cwd: thread.cwd,
      turns: yield* store.listTurns(id, { limit: 500 }),
      events: yield* store.readEvents({ threadId: id, afterSeq: 0 }, 10_000),
      receipts: receipts.toReversed(),
      sessions: [binding, ...lineage].flatMap(({ providerSessionId }) => providerSessionId ?? []),
      carried: carried.has(id),
      breaks: breaks.get(id) ?? 0,
      recalled: recalled.get(id),
      where: where.get(id)
    }
    return own
  })
  const requests = yield* Effect.flatMap(knownThreads(witness), (ids) =>
    Effect.forEach(ids, store.listRequests)
  )
  const observation: Observation = {
    threads: yield* Effect.flatMap(knownThreads(witness), (ids) => Effect.forEach(ids, observed)),
    accepted: accepted.filter(({ thread }) => !removed.has(thread)),
    seen,
    asked: upstream.asked.map(({ input }) => input),
    upstream: {
      sessions: [...upstream.sessions.keys()],
      released: [...upstream.sessions.values()]
        .filter(({ title }) => [...removed].some((id) => title.includes(id)))
        .map(({ id }) => id)
    },
    left: {
      intents: (yield* store.listIntents("ours")).length,
      processes: upstream.open,
      requests: requests.flat().length
    },
    witnessed: told
  }
  const run: Run = { violations: violations(observation), deaths, observation }
  return run
})

/** A store for one run, that is gone with its scope. */
export const storeOf = <E, R>(layer: Layer.Layer<ThreadStore, E, R>) =>
  Effect.map(Layer.build(layer), (context) => Context.get(context, ThreadStore))
