import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { reference } from "./Reference.ts"

/** As it reads, however its tables are aligned. */
const plain = (text: string) => text.replaceAll(/\s+/g, " ").replaceAll(/-{3,}/g, "---").split(" ### ")

describe("G4: docs/reference.md", () => {
  it.effect("says what the command says of itself; `pnpm reference` writes it anew", () =>
    Effect.gen(function* () {
      const written = readFileSync(new URL("../../../docs/reference.md", import.meta.url), "utf8")
      assert.deepEqual(plain(written), plain(yield* reference))
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
