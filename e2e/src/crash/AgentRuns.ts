import { NodeServices } from "@effect/platform-node"
import type { ThreadId } from "@rejoin/contracts/Ids"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { type Observation, type ObservedThread, violations } from "@rejoin/testkit/crash/Observation"
import { Effect, Exit, Fiber, Schema, Stream } from "effect"
import { storeOf } from "../AgentHarness.ts"
import { type Agent, instances } from "../Agents.ts"
import { commandOf, makeWorld, open, processesWith, programOf, say, type Server } from "../World.ts"
import { carryingLives, type Life, livesOf, places } from "./AgentScenario.ts"
import { rowsOf } from "./AgentRows.ts"
import { accepting, type Done, knownThreads, makeSteps, otherThan } from "./AgentSteps.ts"

const CodexBody = Schema.Struct({ client_metadata: Schema.Struct({ turn_id: Schema.String }) })

/** Codex's own id of the turn that a request to the model belongs to. */
const ownTurn = (body: unknown): string | undefined =>
  Schema.is(CodexBody)(body) ? body.client_metadata.turn_id : undefined

const program = programOf("e2e/dist/crash-server.js", "e2e/src/crash/server.ts")
const unsettled: ReadonlySet<string> = new Set(["accepted", "dispatching", "running"])

/**
 * These lives of a server on a real agent, each but the first killed with -9 at its point, and what is seen from
 * outside when the last one has asked every thread what it knows and where it is.
 */
export const agentLives = Effect.fn("agentLives")(function* (agent: Agent, lives: ReadonlyArray<Life>) {
  const does = (tag: Life["steps"][number]["_tag"]) =>
    lives.some(({ steps }) => steps.some(({ _tag }) => _tag === tag))
  const agents = does("HandOver") ? [agent, otherThan(agent)] : [agent]
  const carried = does("Carry")
  const world = yield* makeWorld({ agents })
  const log = world.at("deaths")
  yield* world.fs.writeFileString(log, "")
  const stores = agents.map((one) => storeOf(one, world))
  const done: Done = { accepted: [], writes: new Map(), losses: new Map() }
  const act = makeSteps(world, done, { agent, stores })
  const seen = new Map<number, RuntimeEvent>()
  const witnessed: Array<string> = []

  const watch = (server: Server) =>
    server.client.follow(undefined, Math.max(0, ...seen.keys())).pipe(
      Stream.runForEach((event) =>
        Effect.sync(() => {
          const before = seen.get(event.position)
          if (before !== undefined) witnessed.push(`events: position ${event.position} was seen twice`)
          seen.set(event.position, event)
        })
      ),
      Effect.ignore,
      Effect.forkChild
    )

  for (const [i, { at, steps }] of lives.entries()) {
    const first = i === 0
    const started = yield* Effect.exit(
      world.start(first ? {} : { CRASH_AT: String(at), CRASH_LOG: log }, program)
    )
    // It may have died while it recovered: the next life goes on from there.
    if (Exit.isFailure(started)) continue
    const server = started.value
    const watching = yield* watch(server)
    yield* Effect.raceFirst(
      Effect.gen(function* () {
        if (first) {
          for (const place of ["repo", "tree"] as const)
            yield* open(server, world.at(place), "full-access", instances[agent])
        }
        // What it answers is looked at afterwards, in the store and upstream.
        for (const step of steps) yield* Effect.exit(act(server, step))
      }),
      server.ended
    )
    yield* Effect.ignore(server.kill)
    yield* Fiber.interrupt(watching)
  }

  /** What is still to come of earlier lives: a turn that was accepted runs, and a held one is ended. */
  const quiet = Effect.fnUntraced(function* (server: Server, id: ThreadId) {
    while (true) {
      const { items } = yield* server.client.turns.list({ params: { id }, query: { limit: 500 } })
      const next = items.find(({ status }) => unsettled.has(status))
      if (next === undefined) return
      if (next.input.startsWith("hold") && next.status === "running")
        yield* server.client.sessions.interrupt({ params: { id } })
      yield* server.client.turns
        .get({ params: { id, turnId: next.id }, query: { wait: 1 } })
        .pipe(Effect.raceFirst(accepting(server, id)))
    }
  })

  const last = yield* world.start()
  const ids = yield* knownThreads(last)
  const recalled = new Map<string, string>()
  const where = new Map<string, string>()
  yield* Effect.forEach(
    ids,
    (id) =>
      Effect.gen(function* () {
        yield* quiet(last, id)
        yield* last.client.threads.update({ params: { id }, payload: { runtimeMode: "full-access" } })
        const place = yield* say(last, id, `run pwd # ${id}`)
        if (place.status === "completed") where.set(id, place.output)
        const turn = yield* say(last, id, `recall ${id}`)
        if (turn.status === "completed") recalled.set(id, turn.output)
        else witnessed.push(`the last turn of ${id} is ${turn.status}: ${turn.error?.message ?? ""}`)
      }),
    { concurrency: 2 }
  )
  const observed = yield* Effect.forEach(ids, (id) =>
    Effect.gen(function* () {
      const thread = yield* last.client.threads.get({ params: { id } })
      const { items: turns } = yield* last.client.turns.list({ params: { id }, query: { limit: 500 } })
      const { items: receipts } = yield* last.client.threads.receipts({
        params: { id },
        query: { limit: 500 }
      })
      const events = yield* last.client.follow(id, 0).pipe(Stream.take(thread.lastSeq), Stream.runCollect)
      return { thread, turns, receipts, events: [...events] }
    })
  )
  yield* last.stop

  const rows = yield* rowsOf(`${world.home}/rejoin.db`)
  // A file that a turn wrote lies where the turn's session was, and nowhere else.
  for (const { receipts, turns } of observed) {
    for (const turn of turns) {
      const name = done.writes.get(turn.id)
      if (name === undefined || turn.status !== "completed") continue
      const generation = rows.turns.get(turn.id)?.generation
      const start = receipts.find((it) => it.generation === generation && it.outcome !== "refused")
      for (const place of places) {
        const there = yield* world.fs.exists(`${world.at(place)}/${name}`)
        if (start !== undefined && there !== (world.at(place) === start.cwdRequested))
          witnessed.push(`law 3: "${turn.input}" is ${there ? "" : "not "}in ${place}`)
      }
    }
  }
  const left = yield* processesWith(world.root)
  for (const pid of left) witnessed.push(`law 9: left running: ${yield* commandOf(pid)}`)
  const observation: Observation = {
    threads: observed.map(({ events, receipts, thread, turns }): ObservedThread => ({
      id: thread.id,
      cwd: thread.cwd,
      turns: turns.map((turn) => ({ ...turn, generation: rows.turns.get(turn.id)?.generation ?? null })),
      events,
      receipts: [...receipts].toReversed(),
      sessions: rows.sessions.filter((row) => row.thread === thread.id).map(({ id }) => id),
      carried,
      breaks: done.losses.get(thread.id) ?? 0,
      recalled: recalled.get(thread.id),
      where: where.get(thread.id)
    })),
    accepted: done.accepted,
    seen: [...seen.values()],
    asked: world.model
      .requests()
      .filter(({ results, tools }) => results.length === 0 && tools.length > 0)
      // Codex asks once more by itself where a stream broke, and says that it is the same turn of its own.
      .filter(({ body }, i, all) => {
        const turn = ownTurn(body)
        return turn === undefined || all.findIndex((other) => ownTurn(other.body) === turn) === i
      })
      .map(({ said }) => said.at(-1) ?? ""),
    upstream: { sessions: (yield* Effect.forEach(stores, ({ sessions }) => sessions)).flat(), released: [] },
    left: {
      intents: rows.intents,
      processes: left.length,
      requests: rows.requests
    },
    witnessed
  }
  const deaths = (yield* world.fs.readFileString(log)).split("\n").filter((line) => line !== "")
  return { violations: violations(observation), deaths }
})

/** Ten lives from this seed on. */
export const agentRun = (agent: Agent) => (seed: number) =>
  agentLives(agent, livesOf(Array.from({ length: 11 }, (_, i) => seed * 1000 + i))).pipe(
    Effect.scoped,
    Effect.provide(NodeServices.layer),
    Effect.orDie
  )

/** So many kills of each way that carries a conversation over. */
export const agentCarry = (agent: Agent, times: number) =>
  agentLives(agent, carryingLives(times)).pipe(
    Effect.scoped,
    Effect.provide(NodeServices.layer),
    Effect.orDie
  )
