import { basename } from "node:path"
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ProcessOwner } from "./ProcessOwner.ts"
import { Effect, FileSystem, Layer, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"

const life = (dataDirId: string, bootId: string) =>
  ProcessOwner.layer({ dataDirId, bootId }).pipe(Layer.provideMerge(NodeServices.layer))

/** A process with a child that left its group, both marked, as soon as both are there. */
const spawnMarked = (pool: string) =>
  Effect.gen(function* () {
    const owner = yield* ProcessOwner
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const handle = yield* spawner.spawn(
      ChildProcess.make(
        "sh",
        ["-c", "setsid sleep 600 > /dev/null & echo started; exec sleep 600 > /dev/null"],
        { env: owner.mark(pool), extendEnv: true }
      )
    )
    yield* handle.stdout.pipe(Stream.take(1), Stream.runDrain)
    return handle
  })

describe("law 9: processes are known by their owner's mark", () => {
  it.live("a later life ends what an earlier one of the same data directory left, and nothing else", () =>
    Effect.gen(function* () {
      const id = `test-${process.pid}`
      const mine = yield* spawnMarked("a").pipe(Effect.provide(life(id, "boot1")))
      const others = yield* spawnMarked("a").pipe(Effect.provide(life(`${id}-other`, "boot1")))
      const own = yield* spawnMarked("b").pipe(Effect.provide(life(id, "boot2")))
      const swept = yield* Effect.flatMap(ProcessOwner, ({ sweepEarlier }) => sweepEarlier).pipe(
        Effect.provide(life(id, "boot2"))
      )
      assert.lengthOf(swept, 2)
      assert.isFalse(yield* mine.isRunning)
      assert.isTrue(yield* others.isRunning)
      assert.isTrue(yield* own.isRunning)
      const pool = yield* Effect.flatMap(ProcessOwner, ({ sweepPool }) => sweepPool("b")).pipe(
        Effect.provide(life(id, "boot2"))
      )
      assert.lengthOf(pool, 2)
      assert.isFalse(yield* own.isRunning)
      yield* Effect.flatMap(ProcessOwner, ({ sweepPool }) => sweepPool("a")).pipe(
        Effect.provide(life(`${id}-other`, "boot1"))
      )
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live(
    "what it had for scratch goes with it: at once where it ends, with the next life where it was killed",
    () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const id = `test-${process.pid}`
        const scratch = Effect.flatMap(ProcessOwner, ({ scratch }) => scratch)
        const killed = yield* scratch.pipe(Effect.provide(life(id, "boot1")))
        const others = yield* scratch.pipe(Effect.provide(life(`${id}-other`, "boot1")))
        const own = yield* scratch.pipe(Effect.provide(life(id, "boot2")))
        yield* fs.writeFileString(`${killed}/unpacked`, "something")
        yield* Effect.flatMap(ProcessOwner, ({ sweepEarlier }) => sweepEarlier).pipe(
          Effect.provide(life(id, "boot2"))
        )
        assert.isFalse(yield* fs.exists(killed))
        assert.isTrue(yield* fs.exists(own))
        assert.isTrue(yield* fs.exists(others))
        const ended = yield* Effect.scoped(Effect.provide(scratch, life(id, "boot2")))
        assert.isFalse(yield* fs.exists(ended))
      }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))
  )

  it.live(
    "an orphan of an agent's helper that drops the mark is ended; one with a parent, or of another home, is not",
    () =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
        const owner = yield* ProcessOwner
        const directory = yield* fs.makeTempDirectoryScoped()
        const helper = `${directory}/helper`
        const sleep = yield* spawner.string(
          ChildProcess.make("sh", ["-c", "readlink -f $(command -v sleep)"])
        )
        yield* fs.copyFile(sleep.trim(), helper)
        yield* fs.chmod(helper, 0o755)
        // The shell that starts it ends, and its group with it, as soon as the helper has left the group and runs.
        const orphan = (home: string) =>
          spawner
            .string(
              ChildProcess.make(
                "sh",
                [
                  "-c",
                  `setsid ${helper} 600 > /dev/null 2>&1 &
                  until [ "$(readlink /proc/$!/exe)" = ${helper} ]; do :; done
                  echo $!`
                ],
                { env: { HELPER_HOME: home }, extendEnv: true }
              )
            )
            .pipe(Effect.map(Number))
        const isRunning = (pid: number) =>
          fs.readFileString(`/proc/${pid}/stat`).pipe(
            Effect.map((stat) => !/\) Z /.test(stat)),
            Effect.orElseSucceed(() => false)
          )
        const parent = basename(process.execPath)
        const stray = yield* orphan(`${directory}/mine`)
        const others = yield* orphan(`${directory}/others`)
        const child = yield* spawner.spawn(
          ChildProcess.make(helper, ["600"], { env: { HELPER_HOME: `${directory}/mine` }, extendEnv: true })
        )
        yield* owner.sweepStrays({
          program: "helper",
          parents: [parent],
          environment: `HELPER_HOME=${directory}/mine`
        })
        yield* Effect.repeat(isRunning(stray), { while: (running) => running })
        assert.isTrue(yield* isRunning(others))
        assert.isTrue(yield* child.isRunning)
        yield* owner.sweepStrays({
          program: "helper",
          parents: [parent],
          environment: `HELPER_HOME=${directory}/others`
        })
      }).pipe(Effect.scoped, Effect.provide(life(`test-${process.pid}`, "boot")))
  )
})
