import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"

const sources = readdirSync(new URL(".", import.meta.url), { recursive: true, encoding: "utf8" }).filter(
  (name) => name.endsWith(".ts") && !name.endsWith(".test.ts")
)
const read = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8")

describe("C23: a provider's knowledge stays in its adapter", () => {
  it("the core imports contracts, effect and the name of the machine, and nothing of a provider or a database", () => {
    for (const name of sources) {
      const imports = [...read(name).matchAll(/from "([^"]+)"/g)].map(([, from]) => from ?? "")
      const foreign = imports.filter(
        (from) => !/^(\.|effect$|effect\/|@rejoin\/contracts\/|node:os$)/.test(from)
      )
      assert.deepEqual(foreign, [], name)
    }
  })

  it("the core's code names no provider; what a request may not set in an agent's environment is the exception", () => {
    for (const name of sources.filter((name) => name !== "threads/ExtraEnv.ts")) {
      const code = read(name).replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, "")
      assert.notMatch(code, /opencode|codex|claude|ollama/i, name)
    }
  })
})
