import { assert, it } from "@effect/vitest"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { append, rotate } from "./LogFile.ts"

it("a log is moved aside when it has grown large, and the oldest is forgotten", () => {
  const directory = mkdtempSync(join(tmpdir(), "rejoin-log-"))
  try {
    const path = join(directory, "server.log")
    for (const text of ["one", "two", "three", "four"]) {
      rotate(path, 3)
      append(path, text)
    }
    assert.deepEqual(readdirSync(directory).toSorted(), ["server.log", "server.log.1", "server.log.2"])
    assert.deepEqual(
      ["", ".1", ".2"].map((end) => readFileSync(`${path}${end}`, "utf8")),
      ["four", "three", "two"]
    )
    // One that cannot be written stops nobody.
    append(join(directory, "none", "server.log"), "x")
    writeFileSync(path, "small")
    rotate(path)
    assert.strictEqual(readFileSync(path, "utf8"), "small")
  } finally {
    rmSync(directory, { recursive: true })
  }
})
