// `node bench/src/stream.ts [agent,…] [pieces,…] [turns]`: what an answer of so many streamed pieces costs our server, in
// CPU, without readers and with some. Read how it grows: twice the pieces should cost twice as much at most.
import { NodeServices } from "@effect/platform-node"
import { type Agent, instances } from "@rejoin/e2e/Agents"
import { makeWorld, open, say } from "@rejoin/e2e/World"
import { Console, Effect, Stream } from "effect"
import { cpuOf, median, report } from "./Measure.ts"

const agents = (process.argv[2] ?? "opencode,codex,claude").split(",") as ReadonlyArray<Agent>
const sizes = (process.argv[3] ?? "2000,4000").split(",").map(Number)
const turns = Number(process.argv[4] ?? 10)
const crowds = [0, 1, 100]

const bench = (agent: Agent) =>
  Effect.gen(function* () {
    let pieces = 0
    const world = yield* makeWorld({
      agents: [agent],
      respond: () => ({ _tag: "Say", text: "word ".repeat(pieces) })
    })
    const server = yield* world.start()
    for (const size of sizes) {
      for (const readers of crowds) {
        pieces = 10
        const id = yield* open(server, world.at("repo"), "full-access", instances[agent])
        yield* say(server, id, "begin")
        pieces = size
        const cpu = yield* Effect.scoped(
          Effect.gen(function* () {
            for (let i = 0; i < readers; i++)
              yield* Effect.forkScoped(Stream.runDrain(server.client.follow(id, 0)))
            const times: Array<number> = []
            for (let i = 0; i < turns; i++) {
              const before = cpuOf(server.pid)
              yield* say(server, id, `answer ${i}`)
              times.push(cpuOf(server.pid) - before)
            }
            return median(times)
          })
        )
        yield* Console.log(
          `${agent.padEnd(8)} ${String(size).padStart(5)} pieces, ${String(readers).padStart(3)} readers: ${cpu.toFixed(0)} ms of CPU`
        )
        yield* report("stream", { agent, pieces: size, readers, cpu })
      }
    }
  }).pipe(Effect.scoped)

await Effect.runPromise(Effect.forEach(agents, bench).pipe(Effect.provide(NodeServices.layer)))
