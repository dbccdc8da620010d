import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import { spawnProgram } from "@rejoin/agent-kit/Spawn"
import { newId } from "@rejoin/core/NewId"
import { ProcessOwner, sendSignal } from "@rejoin/agent-kit/ProcessOwner"
import { Deferred, Effect, Exit, Predicate, Queue, Redacted, Stream } from "effect"
import { ChildProcess } from "effect/process"
import { OpenCodeClient } from "./OpenCodeClient.ts"
import { serverPermission } from "./OpenCodePermissions.ts"
import type { ServerOptions } from "./OpenCodeOptions.ts"

/** For our own processes: nothing is uploaded, and no program replaces itself. */
export const baseConfig = { autoupdate: false, share: "disabled" }

const listening = /listening on (http:\/\/\S+)/

/**
 * An OpenCode server of ours, in the scope that ends it: where it listens, and how to end it with all that it
 * started. `lost` is done when the process ends.
 */
export const spawnServer = Effect.fnUntraced(function* (
  options: ServerOptions,
  lost: Deferred.Deferred<string>
) {
  const owner = yield* ProcessOwner
  const password = Redacted.make(yield* newId("pw"))
  const pool = yield* newId("srv")
  const unavailable = (message: string) => new ProviderUnavailable({ provider: options.provider, message })
  // Registered first, so it runs last: tools that the server started outlive it, whatever ended it.
  yield* Effect.addFinalizer(() => owner.sweepPool(pool))
  const cwd = yield* owner.scratch.pipe(Effect.mapError(({ message }) => unavailable(message)))
  const config = { ...baseConfig, ...options.config, permission: serverPermission }
  const handle = yield* spawnProgram(
    options.provider,
    options.binary,
    ChildProcess.make(options.binary, ["serve", "--hostname", "127.0.0.1", "--port", "0"], {
      cwd,
      env: {
        // It unpacks 5 MB there with its first turn, for good (docs/providers/opencode.md: while the adapter was built).
        BUN_TMPDIR: cwd,
        ...options.environment,
        ...owner.mark(pool),
        OPENCODE_SERVER_PASSWORD: Redacted.value(password),
        OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
        // It beats the configuration: one that the operator's shell has would free the sub-agents of every thread.
        OPENCODE_PERMISSION: JSON.stringify(serverPermission)
      },
      extendEnv: false,
      stdin: "ignore",
      // The end is ours: dispose, then TERM, TERM, KILL.
      killSignal: "SIGKILL"
    })
  )
  const lines = yield* Queue.unbounded<string>()
  const last: Array<string> = []
  yield* handle.all.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) =>
      Effect.sync(() => {
        last.push(line)
        if (last.length > 20) last.shift()
        Queue.offerUnsafe(lines, line)
      })
    ),
    Effect.ignore,
    Effect.forkScoped
  )
  yield* handle.exitCode.pipe(
    Effect.exit,
    Effect.flatMap((exit) =>
      Deferred.succeed(
        lost,
        Exit.isSuccess(exit) ? `the process ended with ${exit.value}` : "the process was killed"
      )
    ),
    Effect.forkScoped
  )
  // Connections made before this line hang for ever (docs/providers/opencode.md: Costs).
  const url = yield* Queue.take(lines).pipe(
    Effect.map((line) => listening.exec(line)?.[1]),
    Effect.repeat({ until: Predicate.isNotUndefined }),
    Effect.raceFirst(
      Effect.flatMap(Deferred.await(lost), (reason) =>
        Effect.fail(unavailable(`OpenCode did not start: ${reason}. ${last.join(" ").slice(0, 500)}`))
      )
    ),
    Effect.timeoutOrElse({
      duration: "30 seconds",
      orElse: () => Effect.fail(unavailable("OpenCode did not start listening within 30 seconds."))
    })
  )
  // Later lines are not kept.
  yield* Queue.take(lines).pipe(Effect.forever, Effect.forkScoped)
  if (url === undefined)
    return yield* new ProviderFailed({ provider: options.provider, message: "OpenCode told no address." })
  const client = new OpenCodeClient(options.provider, { url, password })
  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      if (!(yield* handle.isRunning.pipe(Effect.orElseSucceed(() => false)))) return
      // Ends running turns and their tools; a signal alone would orphan them.
      yield* client
        .run("dispose", (sdk, signal) => sdk.global.dispose({ signal }))
        .pipe(Effect.timeout("1 second"), Effect.ignore)
      const ended = Effect.ignore(handle.exitCode)
      // One SIGTERM can be swallowed (docs/providers/opencode.md: Crash).
      for (const signal of ["SIGTERM", "SIGTERM", "SIGKILL"] as const) {
        yield* sendSignal(handle.pid, signal)
        const done = yield* Effect.timeoutOption(ended, "700 millis")
        if (done._tag === "Some") return
      }
    })
  )
  const end = Effect.andThen(sendSignal(handle.pid, "SIGKILL"), owner.sweepPool(pool))
  return { url, password, end }
})
