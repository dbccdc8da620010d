import { CwdNotAllowed, type CwdUnavailable } from "@rejoin/contracts/Errors"
import type { Directory, Worktree } from "@rejoin/contracts/Directory"
import { Settings } from "@rejoin/core/Settings"
import { WorkingDirectory } from "@rejoin/core/WorkingDirectory"
import { Context, Effect, FileSystem, Layer, Option, Path } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"

/** Directories in which threads may work, for those who choose one. */
export class Directories extends Context.Service<
  Directories,
  { readonly look: (path: string | undefined) => Effect.Effect<Directory, CwdNotAllowed | CwdUnavailable> }
>()("@rejoin/server/Directories") {
  static readonly layer = Layer.effect(
    Directories,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { dirname, join } = yield* Path.Path
      const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
      const working = yield* WorkingDirectory
      const settings = yield* Settings
      const roots = settings.roots ?? ["/"]

      const worktreesOf = (cwd: string) =>
        spawner
          .string(
            ChildProcess.make("git", ["worktree", "list", "--porcelain"], {
              cwd,
              // Not the user's own settings: nothing that they name is run for looking.
              env: { PATH: process.env["PATH"] ?? "", GIT_OPTIONAL_LOCKS: "0" },
              extendEnv: false,
              stdin: "ignore"
            })
          )
          .pipe(
            Effect.timeout("5 seconds"),
            Effect.map(worktreesIn),
            Effect.orElseSucceed((): ReadonlyArray<Worktree> => [])
          )

      const look = Effect.fn("Directories.look")(function* (asked: string | undefined) {
        const path = yield* working.admit(asked ?? roots.at(-1) ?? "/")
        const names = yield* fs.readDirectory(path).pipe(Effect.orElseSucceed(() => []))
        const directories: Array<string> = []
        for (const name of names.filter((name) => !name.startsWith(".")).toSorted()) {
          // Files are none, nor is a link that leads to where threads may not work.
          if (Option.isSome(yield* Effect.option(working.admit(join(path, name))))) directories.push(name)
          if (directories.length === 500) break
        }
        const parent = yield* Effect.option(working.admit(dirname(path)))
        const directory: Directory = {
          path,
          ...(Option.isSome(parent) && parent.value !== path && { parent: parent.value }),
          directories,
          roots,
          worktrees: yield* worktreesOf(path)
        }
        return directory
      })
      return Directories.of({ look })
    })
  )
}

/** What `git worktree list --porcelain` prints: a block a checkout. */
export const worktreesIn = (printed: string): ReadonlyArray<Worktree> =>
  printed.split("\n\n").flatMap((block) => {
    const path = /^worktree (.+)$/m.exec(block)?.[1]
    const branch = /^branch refs\/heads\/(.+)$/m.exec(block)?.[1]
    // A bare repository is no place to work in, and one that can be pruned is gone.
    if (path === undefined || /^(bare|prunable.*)$/m.test(block)) return []
    return [{ path, ...(branch !== undefined && { branch }) }]
  })
