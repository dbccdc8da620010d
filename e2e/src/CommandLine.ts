import { fileURLToPath } from "node:url"
import { Effect, Fiber, Stream, SubscriptionRef } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { makeTerminal } from "./TerminalScreen.ts"
import { programOf, type World } from "./World.ts"

export const program = programOf("apps/cli/dist/main.js", "apps/cli/src/main.ts")
export const node = fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url))

/** `rejoin …` in the world's repository, as a program runs it. What it prints is kept as it comes; it ends with the scope. */
export const started = Effect.fnUntraced(function* (world: World, ...args: ReadonlyArray<string>) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const handle = yield* spawner.spawn(
    ChildProcess.make(node, [program, ...args], {
      cwd: world.at("repo"),
      env: world.environment,
      extendEnv: false,
      stdin: "ignore",
      forceKillAfter: "5 seconds"
    })
  )
  const keep = Effect.fnUntraced(function* (bytes: typeof handle.stdout) {
    const text = yield* SubscriptionRef.make("")
    const all = yield* bytes.pipe(
      Stream.decodeText(),
      Stream.runForEach((piece) => SubscriptionRef.update(text, (before) => before + piece)),
      Effect.ignore,
      Effect.forkScoped
    )
    return { text, all }
  })
  const out = yield* keep(handle.stdout)
  const err = yield* keep(handle.stderr)
  const has =
    ({ text: all }: Effect.Success<ReturnType<typeof keep>>) =>
    (text: string) =>
      SubscriptionRef.changes(all).pipe(
        Stream.filter((printed) => printed.includes(text)),
        Stream.runHead
      )
  return {
    pid: handle.pid,
    /** Waits until it has printed this. */
    shows: has(out),
    /** The same on the error output. */
    complains: has(err),
    ended: Effect.gen(function* () {
      const code = yield* Effect.orElseSucceed(handle.exitCode, () => -1)
      yield* Fiber.join(out.all)
      yield* Fiber.join(err.all)
      return {
        code: Number(code),
        out: yield* SubscriptionRef.get(out.text),
        err: yield* SubscriptionRef.get(err.text)
      }
    })
  }
})

/** The same, to its end. */
export const rejoin = (world: World, ...args: ReadonlyArray<string>) =>
  Effect.scoped(Effect.flatMap(started(world, ...args), ({ ended }) => ended))

/** `rejoin …` in a terminal, as a person runs it. */
export const inTerminal = (world: World, ...args: ReadonlyArray<string>) =>
  makeTerminal({ command: [node, program, ...args], cwd: world.at("repo"), env: world.environment })
