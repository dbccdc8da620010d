import { Effect, FileSystem } from "effect"
import { readFileSync } from "node:fs"
import { cpus, loadavg } from "node:os"

export const median = (values: ReadonlyArray<number>) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

/** What a process has used, in ms; the kernel counts in hundredths of a second. */
export const cpuOf = (pid: number) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** How long it took, in ms, and between which moments. */
export const took = Effect.fnUntraced(function* <E, R>(body: Effect.Effect<unknown, E, R>) {
  const begun = performance.now()
  yield* body
  const ended = performance.now()
  return { begun, ended, whole: ended - begun }
})

const results = new URL("../results/", import.meta.url).pathname

/** Adds a measured row to `bench/results/<table>.jsonl`, with the machine's load beside it. */
export const report = Effect.fnUntraced(function* (table: string, row: Readonly<Record<string, unknown>>) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(results, { recursive: true })
  const line = JSON.stringify({ ...row, cores: cpus().length, load: loadavg()[0], node: process.version })
  yield* fs.writeFileString(`${results}${table}.jsonl`, `${line}\n`, { flag: "a" })
})
