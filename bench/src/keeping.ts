// `node bench/src/keeping.ts [agent,…] [turns before,…] [turns measured]`: what it costs our server to copy what the agents
// write down, in CPU for one turn, beside a server that copies nothing; and how large the copy is.
import { NodeServices } from "@effect/platform-node"
import { type Agent, instances } from "@rejoin/e2e/Agents"
import { makeWorld, open, say } from "@rejoin/e2e/World"
import { Console, Effect } from "effect"
import { DatabaseSync } from "node:sqlite"
import { cpuOf, report } from "./Measure.ts"

const agents = (process.argv[2] ?? "opencode,codex,claude").split(",") as ReadonlyArray<Agent>
const histories = (process.argv[3] ?? "10,300").split(",").map(Number)
const measured = Number(process.argv[4] ?? 50)

const records: Readonly<Record<Agent, string>> = {
  opencode: "agent/.local/share/opencode",
  codex: "codex/sessions",
  claude: "claude/projects"
}

/** A server with a thread on it. */
const serve = Effect.fnUntraced(function* (agent: Agent, keep: boolean) {
  const world = yield* makeWorld({
    agents: [agent],
    respond: () => ({ _tag: "Say", text: "So it is." }),
    keep: 4,
    config: { transcripts: { keep } }
  })
  // It would write its whole history down again with each compaction: 200 MB after 3,000 turns.
  const config = world.at("codex/config.toml")
  if (agent === "codex") {
    const text = yield* world.fs.readFileString(config)
    yield* world.fs.writeFileString(config, text.replace(/(model_context_window = ).*/, "$1100000000"))
  }
  const server = yield* world.start()
  /** What the agent itself has written down of its one session. */
  const written = Effect.gen(function* () {
    const place = world.at(records[agent])
    const names = yield* world.fs.readDirectory(place, { recursive: true })
    const files = names.filter((name) => name.endsWith(".jsonl") || name.startsWith("opencode.db"))
    const infos = yield* Effect.forEach(files, (name) => world.fs.stat(`${place}/${name}`))
    return infos.reduce((sum, { size }) => sum + Number(size), 0)
  })
  /** What of our database is the copy, packed as it is. */
  const held = Effect.sync(() => {
    const db = new DatabaseSync(`${world.home}/rejoin.db`, { readOnly: true })
    const row = db.prepare("SELECT sum(length(packed)) AS bytes FROM transcript_piece").get()
    db.close()
    return Number(row?.["bytes"])
  })
  return { server, held, written, id: yield* open(server, world.at("repo"), "full-access", instances[agent]) }
})

const bench = (agent: Agent) =>
  Effect.gen(function* () {
    const keeping = yield* serve(agent, true)
    const without = yield* serve(agent, false)
    let said = 0
    for (const history of histories) {
      for (; said < history; said++) {
        yield* Effect.forEach(
          [keeping, without],
          ({ id, server }) => say(server, id, `this is message ${said}`),
          { concurrency: 2 }
        )
      }
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
      const [held, written] = [yield* keeping.held, yield* keeping.written]
      yield* Console.log(
        `${agent.padEnd(8)} ${String(history).padStart(5)} turns before: ${cpu.keeping.toFixed(1)} ms of CPU a turn, ${cpu.without.toFixed(1)} without = +${(cpu.keeping - cpu.without).toFixed(1)} · ${(bytes / 1024).toFixed(0)} kB of record, ${(held / 1024).toFixed(0)} held of them packed, the agent's own files ${(written / 1024).toFixed(0)}`
      )
      yield* report("keeping", { agent, history, turns: measured, ...cpu, bytes, held, written })
    }
  }).pipe(Effect.scoped)

await Effect.runPromise(Effect.forEach(agents, bench).pipe(Effect.provide(NodeServices.layer)))
