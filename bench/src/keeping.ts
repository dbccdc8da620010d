// `node bench/src/keeping.ts [agent,…] [turns before,…] [turns measured]`: what it costs our server to copy what the agents
// write down, in CPU for one turn, beside a server that copies nothing; and how large the copy is.
import { NodeServices } from "@effect/platform-node"
import { type Agent, instances } from "@rejoin/e2e/Agents"
import { makeWorld, open, say } from "@rejoin/e2e/World"
import { Console, Effect } from "effect"
import { cpuOf, report } from "./Measure.ts"

const agents = (process.argv[2] ?? "opencode,codex,claude").split(",") as ReadonlyArray<Agent>
const histories = (process.argv[3] ?? "10,300").split(",").map(Number)
const measured = Number(process.argv[4] ?? 50)

/** A server with a thread on it. */
const serve = Effect.fnUntraced(function* (agent: Agent, keep: boolean) {
  const world = yield* makeWorld({
    agents: [agent],
    respond: () => ({ _tag: "Say", text: "So it is." }),
    config: { transcripts: { keep } }
  })
  const server = yield* world.start()
  return { server, id: yield* open(server, world.at("repo"), "full-access", instances[agent]) }
})

const bench = (agent: Agent) =>
  Effect.gen(function* () {
    const keeping = yield* serve(agent, true)
    const without = yield* serve(agent, false)
    let said = 0
    for (const history of histories) {
      for (; said < history; said++)
        for (const { id, server } of [keeping, without]) yield* say(server, id, `this is message ${said}`)
      const cpu = { keeping: 0, without: 0 }
      for (let i = 0; i < measured; i++, said++) {
        for (const [which, { id, server }] of [
          ["keeping", keeping],
          ["without", without]
        ] as const) {
          const before = cpuOf(server.pid)
          yield* say(server, id, `this is message ${said}`)
          // What is copied is copied a moment later.
          yield* Effect.sleep("400 millis")
          cpu[which] += (cpuOf(server.pid) - before) / measured
        }
      }
      const { transcript } = yield* keeping.server.client.threads.get({ params: { id: keeping.id } })
      const bytes = transcript?.bytes ?? 0
      yield* Console.log(
        `${agent.padEnd(8)} ${String(history).padStart(5)} turns before: ${cpu.keeping.toFixed(1)} ms of CPU a turn, ${cpu.without.toFixed(1)} without = +${(cpu.keeping - cpu.without).toFixed(1)} · ${(bytes / 1024).toFixed(0)} kB held`
      )
      yield* report("keeping", { agent, history, turns: measured, ...cpu, bytes })
    }
  }).pipe(Effect.scoped)

await Effect.runPromise(Effect.forEach(agents, bench).pipe(Effect.provide(NodeServices.layer)))
