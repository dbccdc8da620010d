import { ProviderInstanceId, type ThreadId } from "@rejoin/contracts/Ids"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import * as Core from "@rejoin/core/Core"
import { ProviderAdapter } from "@rejoin/core/ProviderAdapter"
import { ProviderRegistry } from "@rejoin/core/ProviderRegistry"
import { ProviderService } from "@rejoin/core/ProviderService"
import { Recovery } from "@rejoin/core/Recovery"
import { SessionReaper } from "@rejoin/core/SessionReaper"
import { defaults, Settings } from "@rejoin/core/Settings"
import { makeInMemoryAdapter } from "@rejoin/core/testing/InMemoryAdapter"
import { InMemoryUpstream } from "@rejoin/core/testing/InMemoryUpstream"
import { ThreadEvents } from "@rejoin/core/ThreadEvents"
import { Threads } from "@rejoin/core/Threads"
import { ThreadStore } from "@rejoin/core/ThreadStore"
import { WorkingDirectory } from "@rejoin/core/WorkingDirectory"
import { Context, Deferred, Duration, Effect, Exit, Fiber, Layer, Option, Stream } from "effect"
import { TestClock } from "effect/testing"
import { crashingAdapter } from "./CrashingAdapter.ts"
import { crashingStore } from "./CrashingStore.ts"
import { type Death, makeDeath } from "./CrashPoint.ts"
import { heal, inflict } from "./InMemoryFaults.ts"
import type { Mutation } from "./Mutation.ts"
import { type Observation, type ObservedThread, violations } from "./Observation.ts"
import { patiently } from "./Patience.ts"
import type { Scenario, Step, Verb } from "./Scenario.ts"

const memory = ProviderInstanceId.make("memory")
const places = ["/work", "/tree", "/other"] as const
const placeOf = (index: number) => places[index % places.length] ?? places[0]

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
  const witnessed: Array<string> = []
  const accepted: Array<{ readonly id: string; readonly input: string; readonly thread: ThreadId }> = []
  const seen: Array<RuntimeEvent> = []
  const deaths: Array<string> = []
  const removed = new Set<ThreadId>()
  const breaks = new Map<ThreadId, number>()
  const recalled = new Map<ThreadId, string>()
  const where = new Map<ThreadId, string>()
  /** Threads that were opened read-only, and what they tried to write; those whose mode was ever changed. */
  const forbidden = new Map<ThreadId, Array<string>>()
  const widened = new Set<ThreadId>()
  let inputs = 0
  let rest = scenario.steps

  const layerOf = (death: Death) => {
    const crashing = crashingStore(mutation?.store?.(store) ?? store, death.reach)
    const core = Core.layerManual.pipe(
      Layer.provide(WorkingDirectory.layerAnything),
      Layer.provide(Layer.succeed(Settings, { ...defaults, idle: Duration.zero })),
      Layer.provideMerge(Layer.succeed(ThreadStore, crashing))
    )
    return mutation?.core ? Layer.provideMerge(mutation.core, core) : core
  }

  const known = Effect.map(store.listThreads({ limit: 100 }), (rows) => rows.map(({ id }) => id))

  const inputOf = (verb: Verb) => `${verb} ${verb === "write" ? "" : "#"}${++inputs}`

  const act = Effect.fnUntraced(function* (step: Step) {
    const service = yield* ProviderService
    const threads = yield* Threads
    const ids = yield* known
    const chosen = "thread" in step ? ids[step.thread % Math.max(ids.length, 1)] : undefined
    switch (step._tag) {
      case "Open": {
        const { thread } = yield* threads.create({
          provider: memory,
          cwd: placeOf(step.place),
          runtimeMode: step.mode
        })
        if (step.mode === "read-only") forbidden.set(thread.id, [])
        return
      }
      case "Fault":
        return void inflict(upstream, step.fault)
      case "Heal":
        return heal(upstream)
      case "KillAgent":
        return yield* upstream.crash
      case "Pause":
        return
      case "Reap": {
        const reaper = yield* SessionReaper
        const running = (yield* store.openTurns()).filter(({ status }) => status === "running")
        yield* reaper.sweep
        for (const { id, input } of running) {
          const turn = yield* store.getTurn(id)
          const idle = Option.exists(turn, ({ error }) => error?.message.endsWith(": idle.") === true)
          if (idle) witnessed.push(`law 8: "${input}" was running when its session was reaped`)
        }
        return
      }
      default:
    }
    if (chosen === undefined) return
    switch (step._tag) {
      case "Send": {
        const input = inputOf(step.verb)
        if (step.verb === "write") forbidden.get(chosen)?.push(input.slice(6))
        const turn = yield* service.send(chosen, { input, ...(step.steer && { delivery: "steer" as const }) })
        accepted.push({ id: turn.id, input, thread: chosen })
        return
      }
      case "Move":
        return void (yield* service.move(chosen, placeOf(step.place)))
      case "Mode":
        widened.add(chosen)
        return yield* service.update(chosen, { runtimeMode: step.mode })
      case "Interrupt":
        return yield* service.interrupt(chosen)
      case "Answer": {
        const [request] = yield* store.listRequests(chosen)
        if (request === undefined) return
        const answer =
          request.ask.kind === "approval" ? ({ decision: "accept" } as const) : { answers: [["A"]] }
        return yield* service.answer(chosen, request.id, answer)
      }
      case "Stop":
        return yield* service.stop(chosen)
      case "Reset":
        breaks.set(chosen, (breaks.get(chosen) ?? 0) + 1)
        return yield* service.reset(chosen)
      case "Fork":
        if (ids.length < 4) yield* service.fork(chosen, {})
        return
      case "Remove": {
        if (ids.length < 2) return
        removed.add(chosen)
        return yield* threads.remove(chosen)
      }
      case "Lose": {
        const binding = yield* store.getBinding(chosen)
        const id = Option.isSome(binding) ? binding.value.providerSessionId : null
        const busy = (yield* store.openTurns(chosen)).length > 0
        if (id === null || busy) return
        breaks.set(chosen, (breaks.get(chosen) ?? 0) + 1)
        upstream.delete(id)
      }
    }
  })

  /** Sends, declines whatever is asked, and waits until it is settled. */
  const say = Effect.fnUntraced(function* (id: ThreadId, input: string) {
    const service = yield* ProviderService
    const events = yield* ThreadEvents
    const turn = yield* service.send(id, { input })
    const declining = events.follow(id, 0).pipe(
      Stream.filter(({ turnId, type }) => type === "request.opened" && turnId === turn.id),
      Stream.mapEffect(() => store.listRequests(id)),
      Stream.runForEach((requests) =>
        Effect.forEach(requests, (request) =>
          Effect.ignore(service.answer(id, request.id, { decision: "decline" }))
        )
      )
    )
    return yield* Effect.raceFirst(service.awaitSettled(id, turn.id), Effect.andThen(declining, Effect.never))
  })

  /** With everything healed: what is open is brought to its end, and every thread is asked what it is and knows. */
  const conclude = Effect.gen(function* () {
    const service = yield* ProviderService
    heal(upstream)
    for (let round = 0; round < 60 && (yield* store.openTurns()).length > 0; round++) {
      for (const id of yield* known) {
        for (const request of yield* store.listRequests(id)) {
          yield* Effect.ignore(service.answer(id, request.id, { decision: "cancel" }))
        }
        const open = yield* store.openTurns(id)
        if (open.some(({ input }) => input.startsWith("hold"))) yield* Effect.ignore(service.interrupt(id))
      }
      for (let i = 0; i < 40; i++) yield* Effect.yieldNow
      if (round > 20) yield* TestClock.adjust("1 second")
    }
    for (const id of yield* known) {
      yield* service.update(id, { runtimeMode: "read-only" })
      const first = yield* say(id, `write blocked-${id}`)
      // A fork that a crash left without its own session, and whose origin has been removed since: it says so.
      if (first.error?._tag === "UpstreamLost") {
        breaks.set(id, (breaks.get(id) ?? 0) + 1)
        yield* service.reset(id)
      }
      yield* service.update(id, { runtimeMode: "full-access" })
      yield* say(id, `write allowed-${id}`)
      const place = yield* say(id, `run pwd ${id}`)
      if (place.status === "completed") where.set(id, place.output)
      const turn = yield* say(id, `recall ${id}`)
      if (turn.status === "completed") recalled.set(id, turn.output)
      const written = (path: string) => upstream.writes.some((write) => write.path === path)
      if (written(`blocked-${id}`)) witnessed.push(`law 4: ${id} wrote while it was read-only`)
      if (!written(`allowed-${id}`)) witnessed.push(`law 4: ${id} could not write with full access`)
    }
  })

  const life = (death: Death, last: boolean) =>
    Effect.gen(function* () {
      const registry = yield* ProviderRegistry
      const adapter = makeInMemoryAdapter(upstream)
      const crashing = crashingAdapter(mutation?.adapter?.(adapter) ?? adapter, death.reach)
      yield* registry.add(Layer.succeed(ProviderAdapter, crashing))
      const reconciled = yield* patiently(
        Effect.flatMap(Recovery, ({ reconcile }) => reconcile),
        death.isDead
      )
      if (death.isDead()) return
      if (Option.isSome(reconciled) && Exit.isFailure(reconciled.value)) {
        witnessed.push("the start-up failed")
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
              if (defect && !death.isDead()) witnessed.push(`${step._tag}: ${String(exit.cause)}`)
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
      const concluded = yield* patiently(conclude, death.isDead)
      if (Option.isSome(concluded) && Exit.isFailure(concluded.value)) {
        witnessed.push(`the end failed: ${String(concluded.value.cause)}`)
      }
      yield* events.flush
      for (let i = 0; i < 40; i++) yield* Effect.yieldNow
    }).pipe(
      Effect.catchDefect((defect) =>
        Effect.sync(() => death.isDead() || witnessed.push(`a life ended in a defect: ${String(defect)}`))
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
    if (upstream.open > 0) witnessed.push(`law 9: ${upstream.open} connections outlived a life`)
  }
  yield* life(makeDeath(undefined, scenario.schedule), true)
  // What could not be undone while its provider was away is undone now.
  yield* Effect.provide(
    Effect.gen(function* () {
      const registry = yield* ProviderRegistry
      yield* registry.add(Layer.succeed(ProviderAdapter, makeInMemoryAdapter(upstream)))
      yield* Effect.flatMap(Recovery, ({ reconcile }) => reconcile)
    }),
    layerOf(makeDeath(undefined, 0))
  )

  for (const id of upstream.crowded) witnessed.push(`law 5: two worked on ${id} at once`)
  for (const [id, paths] of forbidden) {
    for (const path of widened.has(id) ? [] : paths) {
      if (upstream.writes.some((write) => write.path === path))
        witnessed.push(`law 4: ${id}, which was always read-only, wrote ${path}`)
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
      breaks: breaks.get(id) ?? 0,
      recalled: recalled.get(id),
      where: where.get(id)
    }
    return own
  })
  const requests = yield* Effect.flatMap(known, (ids) => Effect.forEach(ids, store.listRequests))
  const observation: Observation = {
    threads: yield* Effect.flatMap(known, (ids) => Effect.forEach(ids, observed)),
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
      intents: (yield* store.listIntents).length,
      processes: upstream.open,
      requests: requests.flat().length
    },
    witnessed
  }
  const run: Run = { violations: violations(observation), deaths, observation }
  return run
})

/** A store for one run, that is gone with its scope. */
export const storeOf = <E, R>(layer: Layer.Layer<ThreadStore, E, R>) =>
  Effect.map(Layer.build(layer), (context) => Context.get(context, ThreadStore))
