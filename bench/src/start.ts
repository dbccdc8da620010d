// `node bench/src/start.ts [rounds]`: how long it takes until we answer, and how much memory we hold then, beside a bare
// Node server; without an agent, and with the three. On what was built, in turn.
import { NodeServices } from "@effect/platform-node"
import { makeWorld } from "@rejoin/e2e/World"
import { Console, Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { median, report } from "./Measure.ts"

const rounds = Number(process.argv[2] ?? 9)
const main = fileURLToPath(new URL("../../apps/server/dist/main.js", import.meta.url))
const compiled = fileURLToPath(new URL("../../node_modules/.cache/compiled", import.meta.url))

/** In MB. */
const memoryOf = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024

const answers = async (url: () => string | undefined) => {
  for (;;) {
    const address = url()
    const answered =
      address !== undefined &&
      (await fetch(address).then(
        (response) => response.ok,
        () => false
      ))
    if (answered) return
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** The time from the start to the first answer in ms, and the memory a second later in MB. */
const measured = async (child: ChildProcess, url: () => string | undefined) => {
  const begun = performance.now()
  await answers(url)
  const ms = performance.now() - begun
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const mb = memoryOf(child.pid ?? 0)
  const ended = once(child, "exit")
  child.kill("SIGTERM")
  await ended
  return { ms, mb }
}

const bare = (port: number) => {
  const code = `require("node:http").createServer((_, response) => response.end("{}")).listen(${port}, "127.0.0.1")`
  const child = spawn(process.execPath, ["-e", code], { stdio: "ignore" })
  return measured(child, () => `http://127.0.0.1:${port}/`)
}

const ours = (home: string, environment: Readonly<Record<string, string>>) => {
  const file = join(home, "server.json")
  rmSync(file, { force: true })
  const child = spawn(process.execPath, [main], {
    stdio: "ignore",
    env: { ...environment, NODE_COMPILE_CACHE: compiled }
  })
  return measured(child, () =>
    existsSync(file)
      ? `${(JSON.parse(readFileSync(file, "utf8")) as { readonly url: string }).url}/api/health`
      : undefined
  )
}

const bench = Effect.gen(function* () {
  const none = yield* makeWorld({ config: { providers: [] } })
  const three = yield* makeWorld({ agents: ["opencode", "codex", "claude"] })
  const rows: Record<string, Array<{ ms: number; mb: number }>> = { bare: [], none: [], three: [] }
  for (let round = 0; round < rounds; round++) {
    yield* Effect.promise(async () => {
      rows["bare"]?.push(await bare(28_000 + round))
      rows["none"]?.push(await ours(none.home, none.environment))
      rows["three"]?.push(await ours(three.home, three.environment))
    })
  }
  const of = (name: string, what: "mb" | "ms") => median((rows[name] ?? []).map((row) => row[what]))
  for (const [name, words] of [
    ["none", "without an agent"],
    ["three", "with three agents"]
  ] as const) {
    const row = {
      start: of(name, "ms"),
      bareStart: of("bare", "ms"),
      ratio: of(name, "ms") / of("bare", "ms"),
      megabytes: of(name, "mb"),
      bareMegabytes: of("bare", "mb")
    }
    yield* Console.log(
      `${words.padEnd(18)} ${row.start.toFixed(0)} ms to the first answer over ${row.bareStart.toFixed(0)} bare = ${row.ratio.toFixed(2)}; ${row.megabytes.toFixed(0)} MB over ${row.bareMegabytes.toFixed(0)}`
    )
    yield* report("start", { name, rounds, ...row })
  }
}).pipe(Effect.scoped)

await Effect.runPromise(bench.pipe(Effect.provide(NodeServices.layer)))
