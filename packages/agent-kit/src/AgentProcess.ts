import { Deferred, Effect, Queue, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { newId } from "@rejoin/core/NewId"
import { ProcessOwner, sendSignal } from "./ProcessOwner.ts"
import { spawnProgram } from "./Spawn.ts"

export interface AgentCommand {
  /** The provider instance, to name it in an error. */
  readonly provider: string
  readonly binary: string
  readonly args: ReadonlyArray<string>
  readonly cwd: string
  /** The whole environment of the process, without the mark of its owner. */
  readonly environment: Readonly<Record<string, string>>
}

/** In characters. The longest lines are messages with pictures in them. */
const longestLine = 64 * 1024 * 1024

/** An agent's program that speaks in lines over stdio. */
export interface AgentProcess {
  readonly pid: number
  /** What it prints, line by line. To be run once; ends when the process does. */
  readonly lines: Stream.Stream<string>
  /** One line to its input; nothing where it is gone. */
  readonly write: (line: string) => void
  /** Done with the reason when the process has ended, and all that it started with it. */
  readonly gone: Deferred.Deferred<string>
  /** The last lines of its standard error. */
  readonly complaints: () => string
}

/**
 * Starts an agent's program in the scope that ends it: SIGTERM, then SIGKILL. Whatever ended it, what it started and
 * left is killed too, and awaited, before `gone` is done and before the scope is closed (law 9).
 */
export const spawnAgent = Effect.fn("spawnAgent")(function* (command: AgentCommand) {
  const owner = yield* ProcessOwner
  const pool = yield* newId("srv")
  const gone = yield* Deferred.make<string>()
  const input = yield* Queue.unbounded<string>()
  // Registered first, so it runs last: tools may have left the process's group and session.
  yield* Effect.addFinalizer(() => owner.sweepPool(pool))
  const handle = yield* spawnProgram(
    command.provider,
    command.binary,
    ChildProcess.make(command.binary, [...command.args], {
      cwd: command.cwd,
      env: { ...command.environment, ...owner.mark(pool) },
      extendEnv: false,
      stdin: Stream.fromQueue(input).pipe(Stream.encodeText),
      // The end is ours: below.
      killSignal: "SIGKILL"
    })
  )
  const complaints: Array<string> = []
  yield* handle.stderr.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) =>
      Effect.sync(() => {
        complaints.push(line)
        if (complaints.length > 20) complaints.shift()
      })
    ),
    Effect.ignore,
    Effect.forkScoped
  )
  yield* handle.exitCode.pipe(
    Effect.match({
      onSuccess: (code) => `the process ended with ${code}`,
      onFailure: () => "the process was killed"
    }),
    Effect.tap(() => owner.sweepPool(pool)),
    Effect.flatMap((reason) => Deferred.succeed(gone, reason)),
    Effect.forkScoped
  )
  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      const ended = Effect.ignore(handle.exitCode)
      // Some helpers of an agent's drop its environment, and our mark with it.
      const started = yield* owner.descendants(handle.pid)
      yield* Effect.addFinalizer(() => owner.sweep(started))
      for (const signal of ["SIGTERM", "SIGKILL"] as const) {
        if (!(yield* Effect.orElseSucceed(handle.isRunning, () => false))) return
        yield* sendSignal(handle.pid, signal)
        yield* Effect.timeoutOption(ended, "2 seconds")
      }
    }).pipe(Effect.scoped)
  )
  let unfinished = 0
  // A line that never ends is kept in memory for as long as it comes: whoever writes it is broken, and ended.
  const bounded = (text: string) => {
    const end = text.lastIndexOf("\n")
    unfinished = end < 0 ? unfinished + text.length : text.length - end - 1
    if (unfinished <= longestLine) return Effect.void
    complaints.push("It wrote a line without an end.")
    return Effect.andThen(sendSignal(handle.pid, "SIGKILL"), Effect.fail("a line without an end" as const))
  }
  const process: AgentProcess = {
    pid: handle.pid,
    lines: handle.stdout.pipe(
      Stream.decodeText(),
      Stream.tap(bounded),
      Stream.splitLines,
      Stream.catch(() => Stream.empty)
    ),
    write: (line) => void Queue.offerUnsafe(input, `${line}\n`),
    gone,
    complaints: () => complaints.join(" ").slice(0, 500)
  }
  return process
})
