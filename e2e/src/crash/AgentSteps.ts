import type { ThreadId } from "@rejoin/contracts/Ids"
import type { Turn } from "@rejoin/contracts/Turn"
import { Effect, Stream } from "effect"
import type { Store } from "../AgentHarness.ts"
import { type Agent, instances } from "../Agents.ts"
import { event, type Server, type World } from "../World.ts"
import { type Doing, places } from "./AgentScenario.ts"

/** What the steps of a run did, as far as a client knows it. */
export interface Done {
  /** Turns whose acceptance was acknowledged. */
  readonly accepted: Array<{ readonly id: string; readonly input: string }>
  /** Files that turns were told to write, each named once. */
  readonly writes: Map<string, string>
  /** How often fate took a thread's session. */
  readonly losses: Map<ThreadId, number>
}

/** To whom a thread of this agent's is handed over, and from whom it comes back. */
export const otherThan = (agent: Agent): Agent => (agent === "codex" ? "claude" : "codex")

export const knownThreads = (server: Server) =>
  Effect.map(server.client.threads.list({ query: { limit: 50 } }), ({ items }) => items.map(({ id }) => id))

/** Accepts whatever the thread's agent asks, as it asks. */
export const accepting = (server: Server, id: ThreadId) =>
  server.client.follow(id, 0).pipe(
    Stream.filter(({ type }) => type === "request.opened"),
    Stream.runForEach(() =>
      Effect.flatMap(server.client.threads.requests({ params: { id } }), ({ items }) =>
        Effect.forEach(items, (request) =>
          Effect.ignore(
            server.client.threads.answer({
              params: { id, requestId: request.id },
              payload: { decision: "accept" }
            })
          )
        )
      )
    ),
    Effect.andThen(Effect.never)
  )

/** Does one step as a client would; what it was answered, and what of it is true, is looked at afterwards. */
export const makeSteps = (
  world: World,
  done: Done,
  { agent, stores }: { readonly agent: Agent; readonly stores: ReadonlyArray<Store> }
) => {
  let inputs = 0

  const send = Effect.fnUntraced(function* (server: Server, id: ThreadId, input: string, steered?: Turn) {
    const turn = yield* server.client.turns.send({
      params: { id },
      payload: { input, ...(steered && { delivery: "steer" as const }) }
    })
    if (turn.id !== steered?.id) done.accepted.push({ id: turn.id, input })
    return turn
  })

  return Effect.fnUntraced(function* (server: Server, step: Doing) {
    const ids = yield* knownThreads(server)
    const id = ids[step.thread % Math.max(ids.length, 1)]
    if (id === undefined) return
    const params = { id }
    const settled = (turnId: string) =>
      server.client.turns
        .get({ params: { id, turnId }, query: { wait: 60 } })
        .pipe(Effect.raceFirst(accepting(server, id)))
    switch (step._tag) {
      case "Say":
        return yield* settled((yield* send(server, id, `say #${++inputs}`)).id)
      case "Pwd":
        return yield* settled((yield* send(server, id, `run pwd # ${++inputs}`)).id)
      case "Write": {
        const name = `written-${++inputs}`
        const turn = yield* send(server, id, `write ${name} by the agent`)
        done.writes.set(turn.id, name)
        return yield* settled(turn.id)
      }
      case "Hold":
      case "Steer": {
        const turn = yield* send(server, id, `hold #${++inputs}`)
        yield* event(server, id, "turn.started", ({ turnId }) => turnId === turn.id)
        if (step._tag === "Steer") yield* Effect.exit(send(server, id, `say #${++inputs}`, turn))
        yield* server.client.sessions.interrupt({ params })
        return yield* settled(turn.id)
      }
      case "Stop":
        return yield* server.client.sessions.stop({ params })
      case "Fork":
        return ids.length > 2 ? undefined : yield* server.client.sessions.fork({ params, payload: {} })
      case "Move": {
        const cwd = world.at(places[step.place % places.length] ?? "repo")
        return yield* server.client.sessions.move({ params, payload: { cwd } })
      }
      case "Mode":
        return yield* server.client.threads.update({ params, payload: { runtimeMode: step.mode } })
      case "Lose": {
        const { session } = yield* server.client.threads.get({ params })
        if (session.providerSessionId === undefined) return
        done.losses.set(id, (done.losses.get(id) ?? 0) + 1)
        for (const store of stores) yield* store.lose(session.providerSessionId)
        return
      }
      case "Carry": {
        const payload = yield* server.client.threads.export({ params, query: {} })
        return yield* server.client.threads.import({ payload, query: {} })
      }
      case "HandOver": {
        const { provider } = yield* server.client.threads.get({ params })
        const to = instances[provider === agent ? otherThan(agent) : agent]
        return yield* server.client.sessions.handover({ params, payload: { provider: to } })
      }
    }
  })
}
