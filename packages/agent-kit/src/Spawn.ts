import { ProviderUnavailable } from "@rejoin/contracts/Errors"
import { Effect } from "effect"
import { type ChildProcess, ChildProcessSpawner } from "effect/process"

/**
 * Starts an agent's program. One that cannot be started is unavailable, whatever the reason: also where Node refuses
 * what it is to be started with (a NUL in an argument, too long a list of them), which it tells by throwing.
 */
export const spawnProgram = (provider: string, binary: string, command: ChildProcess.Command) => {
  const unavailable = (why: string) =>
    new ProviderUnavailable({
      provider,
      // What is passed to it may be long, and is nobody's mistake.
      message:
        why === "NotFound"
          ? `There is no program ${binary}.`
          : `The agent's program ${binary} cannot be started: ${why}.`,
      hint: "Install it, or name where it is in config.json."
    })
  return ChildProcessSpawner.ChildProcessSpawner.pipe(
    Effect.flatMap((spawner) => spawner.spawn(command)),
    Effect.mapError((error) => unavailable(error.reason._tag)),
    Effect.catchDefect((defect) =>
      Effect.fail(unavailable(defect instanceof Error ? defect.message.slice(0, 200) : "it was refused"))
    )
  )
}
