import { fileURLToPath } from "node:url"
import { Effect, Fiber, Queue, Ref, Schedule, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { programOf, type World } from "./World.ts"

const program = programOf("apps/cli/dist/main.js", "apps/cli/src/main.ts")
const node = fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url))

// What programs ask a terminal for when they start, and wait for: where its cursor is, and what it can do.
const questions: ReadonlyArray<readonly [question: string, answer: string]> = [
  ["\u001b[6n", "\u001b[1;1R"],
  ["\u001b[c", "\u001b[?62;c"]
]

/** Starts the command in the world's repository. What it prints is kept as it comes; it ends with the scope. */
const start = Effect.fnUntraced(function* (world: World, command: string, args: ReadonlyArray<string>) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const typed = yield* Queue.unbounded<Uint8Array>()
  const encoder = new TextEncoder()
  const handle = yield* spawner.spawn(
    ChildProcess.make(command, args, {
      cwd: world.at("repo"),
      env: { ...world.environment, TERM: "xterm-256color" },
      extendEnv: false,
      stdin: Stream.fromQueue(typed),
      forceKillAfter: "5 seconds"
    })
  )
  const answer = (piece: string) =>
    Effect.forEach(questions, ([question, answer]) =>
      piece.includes(question) ? Queue.offer(typed, encoder.encode(answer)) : Effect.void
    )
  const keep = Effect.fnUntraced(function* (bytes: typeof handle.stdout) {
    const text = yield* Ref.make("")
    const all = yield* bytes.pipe(
      Stream.decodeText(),
      Stream.tap(answer),
      Stream.runForEach((piece) => Ref.update(text, (before) => before + piece)),
      Effect.ignore,
      Effect.forkScoped
    )
    return { text, all }
  })
  const out = yield* keep(handle.stdout)
  const err = yield* keep(handle.stderr)
  return {
    pid: handle.pid,
    /** Waits until it has printed this. */
    shows: (text: string) =>
      Ref.get(out.text).pipe(
        Effect.repeat({ until: (all) => all.includes(text), schedule: Schedule.spaced("20 millis") })
      ),
    type: (text: string) => Queue.offer(typed, encoder.encode(text)),
    ended: Effect.gen(function* () {
      const code = yield* Effect.orElseSucceed(handle.exitCode, () => -1)
      yield* Fiber.join(out.all)
      yield* Fiber.join(err.all)
      return { code: Number(code), out: yield* Ref.get(out.text), err: yield* Ref.get(err.text) }
    })
  }
})

/** `rejoin …`, as a program runs it. */
export const started = (world: World, ...args: ReadonlyArray<string>) =>
  start(world, node, [program, ...args])

/** The same, to its end. */
export const rejoin = (world: World, ...args: ReadonlyArray<string>) =>
  Effect.scoped(Effect.flatMap(started(world, ...args), ({ ended }) => ended))

/** `rejoin …` in a terminal, as a person runs it: `script` gives it one, and types into it what we type. */
export const inTerminal = (world: World, ...args: ReadonlyArray<string>) => {
  const command = [node, program, ...args].map((arg) => `'${arg.replaceAll("'", `'\\''`)}'`).join(" ")
  return start(world, "script", ["-qefc", `stty rows 40 cols 120; ${command}`, "/dev/null"])
}
