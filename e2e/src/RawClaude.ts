import { type Cause, Effect, Queue, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { claudeEnvironment, programOf } from "./Agents.ts"
import type { World } from "./World.ts"

interface Frame {
  readonly type: string
  readonly subtype?: string
  readonly session_id?: string
  readonly result?: string
  readonly is_error?: boolean
  readonly terminal_reason?: string
  readonly api_error_status?: number
}

/**
 * A Claude of somebody else on the agent's home, without anything of ours: for measuring what it does by itself, and
 * for doing what a user would do behind our back.
 */
export const rawClaude = Effect.fn("rawClaude")(function* (
  world: World,
  cwd: string,
  args: ReadonlyArray<string>
) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const input = yield* Queue.unbounded<string, Cause.Done>()
  const frames = yield* Queue.unbounded<Frame>()
  const stream = ["--input-format", "stream-json", "--output-format", "stream-json", "--verbose"]
  const handle = yield* spawner.spawn(
    ChildProcess.make(yield* programOf("claude"), ["-p", ...stream, ...args], {
      cwd,
      env: { ...world.environment, ...claudeEnvironment(world.at("claude"), world.model.origin) },
      extendEnv: false,
      stdin: Stream.fromQueue(input).pipe(Stream.encodeText),
      stderr: "ignore",
      killSignal: "SIGKILL"
    })
  )
  yield* handle.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) => Queue.offer(frames, JSON.parse(line) as Frame)),
    Effect.ignore,
    Effect.forkScoped
  )
  // It writes down what was said after it has answered. Killed before that, it would have said nothing.
  yield* Effect.addFinalizer(() =>
    Queue.end(input).pipe(Effect.andThen(handle.exitCode), Effect.timeoutOption("20 seconds"), Effect.ignore)
  )
  /** Says something, after blocks that go with it, and returns the result. */
  const say = Effect.fnUntraced(function* (text: string, before: ReadonlyArray<unknown> = []) {
    const message = { role: "user", content: [...before, { type: "text", text }] }
    Queue.offerUnsafe(input, `${JSON.stringify({ type: "user", message })}\n`)
    while (true) {
      const frame = yield* Queue.take(frames)
      if (frame.type === "result") return frame
    }
  })
  return { say, pid: handle.pid }
})
