// `pnpm soak [rounds]`: mixed work on the three real agents, and what a server of ours holds after each ten rounds:
// memory, handles, processes, files, rows. What is deleted must be gone, so every figure stays flat.
import { NodeServices } from "@effect/platform-node"
import { Console, Effect, Schedule } from "effect"
import { claude, codex, opencode } from "../Agents.ts"
import { makeWorld, open, say, send, type Server, settled, type World } from "../World.ts"
import { heldBy } from "./Held.ts"

const rounds = Number(process.argv[2] ?? 100)
const image =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

/** Turns, an approval, an attachment, an interrupt, a stop, a fork, a move, and then the threads are deleted. */
const work = Effect.fnUntraced(function* (
  world: World,
  { client, ...server }: Server,
  agent: typeof opencode
) {
  const of: Server = { ...server, client }
  const id = yield* open(of, world.at("repo"), "approval-required", agent)
  const params = { id }
  yield* say(of, id, "one")
  yield* client.turns.send({
    params,
    payload: { input: "look", attachments: [{ name: "a.png", mediaType: "image/png", data: image }] }
  })
  const asked = yield* send(of, id, "run touch soaked")
  // Where the agent asks: one runs it in a sandbox instead.
  const declines = client.threads.requests({ params }).pipe(
    Effect.map(({ items }) => items[0]),
    Effect.repeat({ until: (request) => request !== undefined, schedule: Schedule.spaced("50 millis") }),
    Effect.flatMap((request) =>
      client.threads.answer({
        params: { id, requestId: request?.id ?? "" },
        payload: { decision: "decline" }
      })
    ),
    Effect.andThen(Effect.never)
  )
  yield* Effect.raceFirst(declines, settled(of, id, asked.id))
  const held = yield* send(of, id, "hold on")
  yield* client.turns.interrupt({ params: { id, turnId: held.id } })
  yield* settled(of, id, held.id)
  yield* client.sessions.stop({ params })
  yield* say(of, id, "after a stop")
  const fork = yield* client.sessions.fork({ params, payload: {} })
  yield* say(of, fork.id, "in a fork")
  yield* client.sessions.move({ params, payload: { cwd: world.at("tree") } })
  yield* say(of, id, "elsewhere")
  for (const thread of [fork.id, id]) yield* client.threads.remove({ params: { id: thread } })
})

const soak = Effect.gen(function* () {
  const agents = [opencode, codex, claude]
  const world = yield* makeWorld({ agents: ["opencode", "codex", "claude"] })
  const server = yield* world.start()
  for (let round = 0; round <= rounds; round++) {
    if (round % 10 === 0)
      yield* Console.log(`${String(round).padStart(4)} rounds: ${yield* heldBy(world, server)}`)
    yield* Effect.forEach(agents, (agent) => work(world, server, agent), { concurrency: "unbounded" })
  }
  yield* server.stop
  yield* Console.log(`   the end: ${yield* heldBy(world, undefined)}`)
})

await Effect.runPromise(soak.pipe(Effect.scoped, Effect.provide(NodeServices.layer)))
