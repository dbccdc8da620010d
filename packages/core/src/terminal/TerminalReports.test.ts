import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { followedFrom, ofTheTerminal, reportCommand, withoutFlags } from "./TerminalReports.ts"

describe("what agents in terminals tell", () => {
  it("E4, E7: a session that came out of the thread's is followed; another conversation and its own are not", () => {
    const steps = (...all: ReadonlyArray<readonly [string, boolean]>) =>
      followedFrom(
        "a",
        all.map(([id, derived]) => ({ id, derived }))
      )
    assert.strictEqual(steps(), "a")
    assert.strictEqual(steps(["a", false], ["b", true], ["c", true]), "c")
    assert.strictEqual(steps(["other", false], ["of other", true]), "a")
    assert.strictEqual(steps(["b", true], ["other", false], ["b", false], ["c", true]), "c")
  })

  it("E6: only what the agent that was opened reports counts, not what it starts in the background", () => {
    const reports = [
      { pid: 1, told: "a" },
      { pid: 2, told: "background" },
      { pid: 1, told: "b" }
    ]
    assert.deepEqual(ofTheTerminal(reports), ["a", "b"])
    assert.deepEqual(ofTheTerminal([]), [])
  })

  it("E5, E6: the hook's command writes one line with its parent's pid, says nothing, and never fails", () => {
    const directory = mkdtempSync(`${tmpdir()}/rejoin-it's-`)
    const run = (path: string, input: string) =>
      execFileSync("sh", ["-c", reportCommand(path)], { input, encoding: "utf8" })
    const path = `${directory}/reports.jsonl`
    assert.strictEqual(run(path, '{"session_id":\n"x"}\n') + run(path, "{}"), "")
    const [first, second] = readFileSync(path, "utf8").split("\n")
    assert.deepEqual(JSON.parse(first ?? ""), { pid: process.pid, told: { session_id: "x" } })
    assert.deepEqual(JSON.parse(second ?? ""), { pid: process.pid, told: {} })
    // More than a pipe holds: whoever writes it must not see that nothing is kept.
    const long = JSON.stringify({ prompt: "x".repeat(200_000) })
    assert.strictEqual(run(`${directory}/nowhere/reports.jsonl`, long), "")
    assert.strictEqual(run(path, long), "")
    assert.deepEqual(JSON.parse(readFileSync(path, "utf8").split("\n")[2] ?? ""), {
      pid: process.pid,
      told: JSON.parse(long)
    })
    rmSync(directory, { recursive: true })
  })

  it("E3: the user's options that would choose a session are left out, with their values", () => {
    const without = (...flags: ReadonlyArray<string>) =>
      withoutFlags(flags, { plain: ["--last", "-c"], valued: ["--resume", "-r"] })
    assert.deepEqual(without("--last", "--verbose", "-c"), ["--verbose"])
    assert.deepEqual(without("--resume", "x", "--model", "m", "-r"), ["--model", "m"])
    assert.deepEqual(without("--resume=x", "-r", "--verbose"), ["--verbose"])
  })
})
