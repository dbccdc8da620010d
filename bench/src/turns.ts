// `node bench/src/turns.ts [agent,…] [turns before,…] [turns measured]`: a turn on a live session, ours beside the raw
// interface of the same agent, one after the other in one run on one machine: medians, their ratio, and the CPU that our
// server took for one; and ours on a session that was stopped before. The model answers at once and always the same.
import { NodeServices } from "@effect/platform-node"
import { type Agent, instances } from "@rejoin/e2e/Agents"
import { foreignServer } from "@rejoin/e2e/OpenCodeApi"
import { rawClaude } from "@rejoin/e2e/RawClaude"
import { rawCodex } from "@rejoin/e2e/RawCodex"
import { makeWorld, open, say, type World } from "@rejoin/e2e/World"
import { Console, Effect } from "effect"
import { cpuOf, median, report, took } from "./Measure.ts"

const agents = (process.argv[2] ?? "opencode,codex,claude").split(",") as ReadonlyArray<Agent>
const histories = (process.argv[3] ?? "10,300").split(",").map(Number)
const measured = Number(process.argv[4] ?? 40)

/** Says something to the agent alone, on one session of its own, and waits until it is answered. */
const raw = Effect.fnUntraced(function* (agent: Agent, world: World) {
  const cwd = world.at("repo")
  switch (agent) {
    case "claude": {
      const flags = ["--dangerously-skip-permissions", "--include-partial-messages"]
      const session = yield* rawClaude(world, cwd, flags)
      return (text: string) => Effect.asVoid(session.say(text))
    }
    case "codex": {
      const server = yield* rawCodex(world)
      const { id } = yield* server.start(cwd)
      return (text: string) => server.turn(id, text)
    }
    case "opencode": {
      yield* world.fs.makeDirectory(world.at("raw"))
      const { sdk } = yield* foreignServer(world, world.at("raw"))
      const { data } = yield* Effect.promise(() => sdk.session.create({ directory: cwd }))
      const sessionID = data?.id ?? ""
      return (text: string) =>
        Effect.asVoid(
          Effect.promise(() =>
            sdk.session.prompt({ sessionID, directory: cwd, parts: [{ type: "text", text }] })
          )
        )
    }
  }
})

const none = (): Array<number> => []

const bench = (agent: Agent) =>
  Effect.gen(function* () {
    let asked = 0
    const world = yield* makeWorld({
      agents: [agent],
      keep: 4,
      respond: () => {
        asked = performance.now()
        return { _tag: "Say", text: "So it is." }
      }
    })
    const server = yield* world.start()
    const id = yield* open(server, world.at("repo"), "full-access", instances[agent])
    const ours = (text: string) => say(server, id, text)
    const alone = yield* raw(agent, world)
    let said = 0
    for (const history of histories) {
      for (; said < history; said++) {
        yield* ours(`this is message ${said}`)
        yield* alone(`this is message ${said}`)
      }
      const times = { ours: none(), alone: none(), cpu: none(), before: none(), after: none() }
      for (let i = 0; i < measured; i++, said++) {
        const without = yield* took(alone(`this is message ${said}`))
        times.alone.push(without.whole)
        const gap = { before: asked - without.begun, after: without.ended - asked }
        const before = cpuOf(server.pid)
        const within = yield* took(ours(`this is message ${said}`))
        times.ours.push(within.whole)
        times.cpu.push(cpuOf(server.pid) - before)
        times.before.push(asked - within.begun - gap.before)
        times.after.push(within.ended - asked - gap.after)
      }
      const reaped: Array<number> = []
      for (let i = 0; i < 5; i++, said++) {
        yield* server.client.sessions.stop({ params: { id } })
        reaped.push((yield* took(ours(`this is message ${said}`))).whole)
        yield* alone(`this is message ${said}`)
      }
      const [mine, theirs] = [median(times.ours), median(times.alone)]
      const cpu = times.cpu.reduce((sum, value) => sum + value, 0) / measured
      const row = {
        ours: mine,
        alone: theirs,
        ratio: mine / theirs,
        addedBefore: median(times.before),
        addedAfter: median(times.after),
        cpu,
        afterStop: median(reaped)
      }
      yield* Console.log(
        `${agent.padEnd(8)} ${String(history).padStart(5)} turns before: ${mine.toFixed(1)} ms over ${theirs.toFixed(1)} alone = ${row.ratio.toFixed(2)} (+${row.addedBefore.toFixed(1)} before the model is asked, +${row.addedAfter.toFixed(1)} after) · our server's CPU ${cpu.toFixed(1)} ms · ours after a stop ${row.afterStop.toFixed(0)} ms`
      )
      yield* report("turns", { agent, history, turns: measured, ...row })
    }
  }).pipe(Effect.scoped)

await Effect.runPromise(Effect.forEach(agents, bench).pipe(Effect.provide(NodeServices.layer)))
