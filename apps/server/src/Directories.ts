import { type CwdNotAllowed, type CwdUnavailable, InvalidInput } from "@rejoin/contracts/Errors"
import type { Directory, Worktree } from "@rejoin/contracts/Directory"
import { Settings } from "@rejoin/core/Settings"
import { WorkingDirectory } from "@rejoin/core/threads/WorkingDirectory"
import { Context, Effect, FileSystem, Layer, Option, Path } from "effect"
import { ChildProcessSpawner } from "effect/process"
import { git } from "./Git.ts"

/** Directories in which threads may work, for those who choose one. */
export class Directories extends Context.Service<
  Directories,
  {
    readonly look: (path: string | undefined) => Effect.Effect<Directory, CwdNotAllowed | CwdUnavailable>
    /** Checks a new branch out at `path`, which lies where threads may work and is not there yet. */
    readonly addWorktree: (wanted: {
      readonly repository: string
      readonly path: string
      readonly branch: string
    }) => Effect.Effect<Worktree, CwdNotAllowed | CwdUnavailable | InvalidInput>
  }
>()("@rejoin/server/Directories") {
  static readonly layer = Layer.effect(
    Directories,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { basename, dirname, join } = yield* Path.Path
      const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
      const working = yield* WorkingDirectory
      const settings = yield* Settings
      const roots = settings.roots ?? ["/"]

      const run = (cwd: string, ...args: ReadonlyArray<string>) =>
        Effect.provideService(git(cwd, ...args), ChildProcessSpawner.ChildProcessSpawner, spawner)
      const worktreesOf = (cwd: string) =>
        run(cwd, "worktree", "list", "--porcelain").pipe(
          Effect.timeout("5 seconds"),
          Effect.map(worktreesIn),
          Effect.orElseSucceed((): ReadonlyArray<Worktree> => [])
        )

      const addWorktree: Directories["Service"]["addWorktree"] = Effect.fn("Directories.addWorktree")(
        function* ({ branch, path, repository }) {
          const from = yield* working.admit(repository)
          const to = join(yield* working.admit(dirname(path)), basename(path))
          const failed = (message: string) => new InvalidInput({ field: "path", message })
          if (yield* Effect.orElseSucceed(fs.exists(to), () => true))
            return yield* failed(`${to} is there already.`)
          // Its files come in a second step: what of the settings holds for this worktree alone shows only in it.
          yield* run(from, "worktree", "add", "--no-checkout", "-b", branch, "--", to).pipe(
            Effect.andThen(
              Effect.tapError(run(to, "reset", "--hard", "--quiet"), () =>
                // Half a worktree is none.
                Effect.ignore(
                  Effect.andThen(
                    run(from, "worktree", "remove", "--force", "--", to),
                    run(from, "branch", "-D", "--", branch)
                  )
                )
              )
            ),
            Effect.timeout("2 minutes"),
            Effect.mapError(({ message }) => failed(`git made no worktree: ${message}`))
          )
          return { path: yield* working.admit(to), branch }
        }
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
          // One in which threads may not work is no choice.
          worktrees: yield* Effect.filter(yield* worktreesOf(path), (tree) =>
            Effect.isSuccess(working.admit(tree.path))
          )
        }
        return directory
      })
      return Directories.of({ look, addWorktree })
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
