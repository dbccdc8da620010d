import { createServer } from "node:http"
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"

const main = new URL("./main.ts", import.meta.url).pathname

/** A port that somebody else listens on. */
const taken = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; readonly close: () => void }>((resume) => {
    const server = createServer()
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      resume(Effect.succeed({ port, close: () => server.close() }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

describe("a server that cannot start", () => {
  it.live("a port that is taken: it says so, ends with 1, and leaves nothing that says that it serves", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
      const home = yield* fs.makeTempDirectoryScoped()
      const { port } = yield* taken
      const handle = yield* spawner.spawn(
        ChildProcess.make(process.execPath, [main], {
          env: { PATH: "/usr/bin:/bin", HOME: home, REJOIN_PORT: String(port) },
          extendEnv: false,
          stdin: "ignore",
          stdout: "ignore",
          forceKillAfter: "5 seconds"
        })
      )
      const said = yield* handle.stderr.pipe(Stream.decodeText(), Stream.mkString)
      assert.strictEqual(Number(yield* handle.exitCode), 1)
      assert.include(said, "Rejoin cannot start.")
      assert.include(said, `address already in use 127.0.0.1:${port}`)
      assert.isFalse(yield* fs.exists(`${home}/.rejoin/server.json`))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )
})
