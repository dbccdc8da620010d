import type { ProviderInstanceId } from "@rejoin/contracts/Ids"
import { type Capabilities, noCapabilities, type ProviderInfo } from "@rejoin/contracts/Provider"
import { Effect, type FileSystem, Option, Result } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"

/** The version that an agent's program prints, or why there is none. It prints no secret. */
export const programVersion = (
  name: string,
  binary: string,
  environment: Readonly<Record<string, string>>
): Effect.Effect<string, string, ChildProcessSpawner.ChildProcessSpawner> =>
  Effect.flatMap(ChildProcessSpawner.ChildProcessSpawner, (spawner) =>
    spawner.string(
      ChildProcess.make(binary, ["--version"], { env: environment, extendEnv: false, stdin: "ignore" })
    )
  ).pipe(
    // What Node refuses to start with, it throws.
    Effect.catchDefect((defect) => Effect.fail(`${name} cannot be run (${binary}): ${String(defect)}`)),
    Effect.timeout("20 seconds"),
    Effect.catchTags({
      PlatformError: (error) =>
        Effect.fail(
          error.reason._tag === "NotFound"
            ? `${name} is not installed: there is no program ${binary}. ${/^\w+$/.test(binary) ? `\`rejoin agents add ${binary}\` installs it.` : ""}`.trim()
            : `${name} cannot be run (${binary}): ${error.message}`
        ),
      TimeoutError: () => Effect.fail(`${name} did not tell its version (${binary}).`)
    }),
    Effect.flatMap((printed) => {
      const version = /\d+\.\d+\.\d+\S*/.exec(printed)?.[0]
      return version === undefined
        ? Effect.fail(`${name} tells no version (${binary}): ${printed.slice(0, 100)}`)
        : Effect.succeed(version)
    })
  )

interface About {
  readonly id: ProviderInstanceId
  readonly driver: string
  readonly name: string
  /** Its path, or where its server is. */
  readonly program: string
  readonly version: Effect.Effect<string, string>
  /** Changes when the program does, by an update under our feet. */
  readonly stamp: Effect.Effect<string>
  readonly isSupported: (version: string) => boolean
  /** The versions that are known, for the error. */
  readonly supported: string
  readonly authenticated: Effect.Effect<boolean | null>
  readonly model: string | null
  readonly dataDirectory: string | null
  readonly capabilities: Capabilities
}

/** What a program's file is now, through its links. */
export const programStamp = (fs: FileSystem.FileSystem, path: string): Effect.Effect<string> =>
  fs.realPath(path).pipe(
    Effect.flatMap((real) =>
      Effect.map(fs.stat(real), ({ mtime, size }) => {
        const at = Option.getOrUndefined(mtime)?.getTime() ?? 0
        return `${real} ${size} ${at}`
      })
    ),
    // One that is found by its bare name, or is not there.
    Effect.orElseSucceed(() => path)
  )

/** What an instance is, found where, in which version, usable or why not. A version stays as long as its program. */
export const agentInfo = (about: About): Effect.Effect<ProviderInfo> => {
  const { capabilities, dataDirectory, driver, id, model, name, program } = about
  let found: { readonly version: string; readonly stamp: string } | undefined
  const version = Effect.flatMap(about.stamp, (stamp) =>
    found?.stamp === stamp
      ? Effect.succeed(found.version)
      : Effect.tap(about.version, (version) => Effect.sync(() => (found = { version, stamp })))
  )
  return Effect.gen(function* () {
    const told = yield* Effect.result(version)
    const base = { id, driver, program, model, dataDirectory }
    const unusable = (reason: string, version: string | null): ProviderInfo => ({
      ...base,
      status: "unusable",
      reason,
      version,
      supported: false,
      authenticated: null,
      capabilities: noCapabilities
    })
    if (Result.isFailure(told)) return unusable(told.failure, null)
    if (!about.isSupported(told.success)) {
      const reason = `${name} ${told.success} is not supported: this adapter knows ${about.supported}.`
      return unusable(reason, told.success)
    }
    const ready: ProviderInfo = {
      ...base,
      status: "ready",
      version: told.success,
      supported: true,
      authenticated: yield* about.authenticated,
      capabilities
    }
    return ready
  })
}
