// `node bench/src/reads.ts [requests]`: what a read through our interface costs our server, in CPU, beside a bare Node server
// that sends the same bytes on a connection that is kept.
import { NodeServices } from "@effect/platform-node"
import { instances } from "@rejoin/e2e/Agents"
import { makeWorld, open, say } from "@rejoin/e2e/World"
import { Console, Effect } from "effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { Agent, request } from "node:http"
import { cpuOf, report } from "./Measure.ts"

const requests = Number(process.argv[2] ?? 3000)
const agent = new Agent({ keepAlive: true, maxSockets: 1 })

const get = (url: string, headers: Readonly<Record<string, string>>) =>
  new Promise<string>((resolve, reject) => {
    const sent = request(url, { agent, headers }, (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (part: string) => (text += part))
      response.on("end", () => resolve(text))
    })
    sent.on("error", reject)
    sent.end()
  })

/** Microseconds of CPU for one. The first ones only warm it up. */
const costOf = async (pid: number, url: string, headers: Readonly<Record<string, string>>) => {
  for (let i = 0; i < requests; i++) await get(url, headers)
  const before = cpuOf(pid)
  for (let i = 0; i < requests; i++) await get(url, headers)
  return ((cpuOf(pid) - before) * 1000) / requests
}

/** A Node server of its own process that answers everything with this. */
const bare = async (body: string) => {
  const code = `const body = process.argv[1]
    require("node:http").createServer((_, response) => {
      response.setHeader("content-type", "application/json")
      response.end(body)
    }).listen(0, "127.0.0.1", function () { console.log(this.address().port) })`
  const child = spawn(process.execPath, ["-e", code, body], { stdio: ["ignore", "pipe", "inherit"] })
  const [port] = (await once(child.stdout, "data")) as [Buffer]
  return { child, pid: child.pid ?? 0, url: `http://127.0.0.1:${String(port).trim()}/` }
}

const bench = Effect.gen(function* () {
  const world = yield* makeWorld({ agents: ["codex"] })
  const server = yield* world.start()
  const id = yield* open(server, world.at("repo"), "full-access", instances.codex)
  for (let i = 0; i < 20; i++) yield* say(server, id, `this is message ${i}`)
  const headers = { authorization: `Bearer ${server.token}` }
  for (const path of ["/health", `/threads/${id}`, `/threads/${id}/items?limit=50`, "/threads?limit=50"]) {
    const url = `${server.url}/api${path}`
    const row = yield* Effect.promise(async () => {
      const alone = await bare(await get(url, headers))
      const theirs = await costOf(alone.pid, alone.url, headers)
      const ours = await costOf(server.pid, url, headers)
      alone.child.kill()
      return { ours, bare: theirs, ratio: ours / theirs }
    })
    const name = path.replace(id, ":id")
    yield* Console.log(
      `GET ${name.padEnd(28)} ${row.ours.toFixed(0)} µs of CPU over ${row.bare.toFixed(0)} bare = ${row.ratio.toFixed(1)}`
    )
    yield* report("reads", { path: name, requests, ...row })
  }
}).pipe(Effect.scoped)

await Effect.runPromise(bench.pipe(Effect.provide(NodeServices.layer)))
