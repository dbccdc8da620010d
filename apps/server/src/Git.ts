import { ByteSize, Effect, Fiber, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"

/**
 * Settings by which a repository would have git run a program of its choice, or reach a network: its hooks, its file
 * monitor, programs that fetch what is missing.
 */
const silent: ReadonlyArray<readonly [key: string, value: string]> = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.sshCommand", "false"],
  ["core.gitProxy", "false"],
  ["protocol.allow", "never"],
  ["submodule.recurse", "false"]
]

const filters = /^filter\.(.*)\.(?:smudge|clean|process|required)$/s

/** The filters that `git config --list -z --show-scope --name-only` names: each is a program. */
export const filtersIn = (printed: string): ReadonlyArray<string> => [
  // The scope and the name take turns.
  ...new Set(printed.split("\0").flatMap((name) => filters.exec(name)?.[1] ?? []))
]

const off = (name: string): typeof silent => [
  [`filter.${name}.smudge`, ""],
  [`filter.${name}.clean`, ""],
  [`filter.${name}.process`, ""],
  [`filter.${name}.required`, "false"]
]

/**
 * git on a repository that nobody has looked at: without the user's own settings, and with nothing run that the
 * repository names. By the environment: a name with `=` in it could not be set by an option.
 */
const command = (cwd: string, settings: typeof silent, args: ReadonlyArray<string>) =>
  ChildProcess.make("git", [...args], {
    cwd,
    env: {
      PATH: process.env["PATH"] ?? "",
      GIT_OPTIONAL_LOCKS: "0",
      GIT_TERMINAL_PROMPT: "0",
      GIT_NO_LAZY_FETCH: "1",
      GIT_CONFIG_COUNT: String(settings.length),
      ...Object.fromEntries(
        settings.flatMap(([key, value], index) => [
          [`GIT_CONFIG_KEY_${index}`, key],
          [`GIT_CONFIG_VALUE_${index}`, value]
        ])
      )
    },
    extendEnv: false,
    stdin: "ignore",
    forceKillAfter: "2 seconds"
  })

/** What it prints, or a failure with what it complained of. */
export const git = (cwd: string, ...args: ReadonlyArray<string>) =>
  Effect.map(gitUpTo(Number.MAX_SAFE_INTEGER, cwd, ...args), ({ printed }) => printed)

/** The beginning of what it prints, and whether there was more than so many bytes: then it is ended. */
export const gitUpTo = Effect.fn("git")(function* (
  most: number,
  cwd: string,
  ...args: ReadonlyArray<string>
) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const run = (settings: typeof silent, args: ReadonlyArray<string>) =>
    Effect.scoped(
      Effect.gen(function* () {
        const handle = yield* spawner.spawn(command(cwd, settings, args))
        let isCut = false
        const cut = () => {
          isCut = true
          return Stream.empty
        }
        const text = (stream: typeof handle.stdout) => stream.pipe(Stream.decodeText(), Stream.mkString)
        const complaint = yield* Effect.forkScoped(text(handle.stderr))
        const printed = yield* text(Stream.limitBytes(handle.stdout, ByteSize.bytes(most), cut))
        if (isCut || (yield* handle.exitCode) === 0) return { printed, isCut }
        const err = yield* Fiber.join(complaint)
        return yield* Effect.fail({ message: err.trim() })
      })
    )
  const named = yield* run(silent, ["config", "--list", "-z", "--show-scope", "--name-only"])
  const filters = filtersIn(named.printed)
  // What cannot be named cannot be turned off: then git is not run at all.
  if (named.isCut || filters.some((name) => name.includes("\uFFFD")))
    return yield* Effect.fail({ message: "the repository's settings cannot be read" })
  return yield* run([...silent, ...filters.flatMap(off)], args)
})
