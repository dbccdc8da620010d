import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { spawnAgent } from "./AgentProcess.ts"
import { ProcessOwner } from "./ProcessOwner.ts"
import { Deferred, Effect, Layer, Stream } from "effect"

const services = ProcessOwner.layer({ dataDirId: `agent-process-${process.pid}`, bootId: "boot" }).pipe(
  Layer.provideMerge(NodeServices.layer)
)

/** A program that an agent could be, for all that we know. */
const agent = (script: string) =>
  spawnAgent({
    provider: "test",
    binary: "/bin/sh",
    args: ["-c", script],
    cwd: "/",
    environment: { PATH: process.env["PATH"] ?? "" }
  })

describe("what an agent's program writes", () => {
  it.live("is told line by line, garbage and half a line at its end too", () =>
    Effect.gen(function* () {
      const { gone, lines } = yield* agent(`printf '{"a":1}\\n\\377garbage\\n{"half'; exit 3`)
      const told = [...(yield* Stream.runCollect(lines))]
      assert.strictEqual(told[0], '{"a":1}')
      assert.include(told[1], "garbage")
      assert.strictEqual(told[2], '{"half')
      assert.include(yield* Deferred.await(gone), "3")
    }).pipe(Effect.scoped, Effect.provide(services))
  )

  it.live("law 9: a line without an end is not kept for ever: whoever writes it is ended", () =>
    Effect.gen(function* () {
      const { complaints, gone, lines } = yield* agent(
        "while :; do head -c 1000000 /dev/zero | tr '\\0' x; done"
      )
      assert.deepEqual([...(yield* Stream.runCollect(lines))], [])
      yield* Deferred.await(gone)
      assert.include(complaints(), "a line without an end")
    }).pipe(Effect.scoped, Effect.provide(services))
  )
})
