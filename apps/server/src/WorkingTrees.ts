import { allAdded } from "@rejoin/agent-kit/Diff"
import type { CwdNotAllowed, CwdUnavailable } from "@rejoin/contracts/Errors"
import type { ChangedFile, WorkingTree } from "@rejoin/contracts/WorkingTree"
import { WorkingDirectory } from "@rejoin/core/threads/WorkingDirectory"
import { Context, Effect, FileSystem, Layer, Option, Path } from "effect"
import { ChildProcessSpawner } from "effect/process"
import { fitting } from "./FittingFiles.ts"
import { gitUpTo } from "./Git.ts"
import { changedIn } from "./GitDiff.ts"

/** What a person reads at once, and a page draws. */
const most = { files: 500, bytes: 1_000_000, untracked: 64_000 }

/** As what is the same for all of them says it: a repository has its own mind on each. */
const compare = [
  "diff",
  "--no-color",
  "--no-ext-diff",
  "--no-textconv",
  "--no-renames",
  "--src-prefix=a/",
  "--dst-prefix=b/",
  "--submodule=short",
  // To look into one, git would start itself there, and without what keeps its filters from running.
  "--ignore-submodules=dirty"
]

/** What is in a directory, and what of it is not committed: read, and never changed. */
export class WorkingTrees extends Context.Service<
  WorkingTrees,
  {
    readonly changes: (path: string) => Effect.Effect<WorkingTree, CwdNotAllowed | CwdUnavailable>
    /** Up to 50 of its files, relative to it, the best fit first. */
    readonly files: (
      path: string,
      q: string
    ) => Effect.Effect<ReadonlyArray<string>, CwdNotAllowed | CwdUnavailable>
  }
>()("@rejoin/server/WorkingTrees") {
  static readonly layer = Layer.effect(
    WorkingTrees,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const { join } = yield* Path.Path
      const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
      const working = yield* WorkingDirectory
      const git = (cwd: string, ...args: ReadonlyArray<string>) =>
        gitUpTo(most.bytes, cwd, ...args).pipe(
          Effect.provideService(ChildProcessSpawner.ChildProcessSpawner, spawner),
          Effect.timeout("10 seconds"),
          Effect.orElseSucceed(() => undefined)
        )
      const line = (cwd: string, ...args: ReadonlyArray<string>) =>
        Effect.map(git(cwd, ...args), (told) => told?.printed.replace(/\n$/, ""))

      /** Its root; undefined also where it reaches beyond where threads may work, or what its `.git` names does. */
      const checkoutOf = Effect.fnUntraced(function* (path: string) {
        const root = yield* line(path, "rev-parse", "--show-toplevel")
        const common = yield* line(path, "rev-parse", "--path-format=absolute", "--git-common-dir")
        if (root === undefined || common === undefined) return undefined
        for (const directory of [root, common])
          if (!(yield* Effect.isSuccess(working.admit(directory)))) return undefined
        return root
      })

      /** A small file that is text, and no link: as a difference that adds all of it. */
      const untracked = Effect.fnUntraced(function* (root: string, path: string, left: number) {
        const file = bare(path)
        const real = yield* fs.realPath(join(root, path))
        const { size, type } = yield* fs.stat(real)
        if (real !== join(root, path) || type !== "File" || size > Math.min(most.untracked, left)) return file
        const text = yield* fs.readFileString(real)
        return text.includes("\0") ? file : { ...file, ...fresh(text) }
      })

      const read = Effect.fn("WorkingTrees.changes")(function* (asked: string) {
        const root = yield* checkoutOf(yield* working.admit(asked))
        if (root === undefined) return none
        const base =
          (yield* line(root, "rev-parse", "--verify", "--quiet", "HEAD")) ??
          (yield* line(root, "hash-object", "-t", "tree", "/dev/null")) ??
          ""
        const names = yield* git(root, ...compare, base, "--name-status", "-z")
        const counts = yield* git(root, ...compare, base, "--numstat", "-z")
        const patch = yield* git(root, "-c", "core.quotePath=true", ...compare, base)
        const others = yield* git(root, "ls-files", "--others", "--exclude-standard", "-z")
        const tracked = changedIn(names?.printed ?? "", counts?.printed ?? "", patch?.printed ?? "")
        const found = (others?.printed ?? "").split("\0").filter((path) => path !== "")
        let left = most.bytes
        const unknown = yield* Effect.forEach(
          found.slice(0, Math.max(0, most.files - tracked.length)),
          (path) =>
            Effect.orElseSucceed(untracked(root, path, left), () => bare(path)).pipe(
              Effect.tap(({ diff }) =>
                Effect.sync(() => {
                  left -= diff.length
                })
              )
            )
        )
        const cut = [names, counts, patch, others].some((told) => told === undefined || told.isCut)
        const truncated = cut || tracked.length + found.length > most.files
        return { root, files: [...tracked.slice(0, most.files), ...unknown], truncated }
      })

      // Each of git's steps has its own limit; a repository that makes all of them slow has this one.
      const changes = (asked: string) =>
        Effect.map(
          Effect.timeoutOption(read(asked), "20 seconds"),
          Option.getOrElse(() => none)
        )

      const files = Effect.fn("WorkingTrees.files")(function* (asked: string, q: string) {
        const path = yield* working.admit(asked)
        const listed =
          (yield* checkoutOf(path)) === undefined
            ? undefined
            : yield* git(path, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
        // Outside of a repository: what lies in the directory itself.
        const found = listed
          ? listed.printed.split("\0").filter((name) => name !== "")
          : yield* Effect.orElseSucceed(fs.readDirectory(path), () => [])
        return fitting(found, q).slice(0, 50)
      })
      return WorkingTrees.of({ changes, files })
    })
  )
}

const none: WorkingTree = { root: null, files: [], truncated: false }

const bare = (path: string): ChangedFile => ({
  path,
  status: "untracked",
  added: null,
  removed: null,
  diff: ""
})

/** A file that no commit has: all of it is new. */
const fresh = (text: string): Pick<ChangedFile, "added" | "diff" | "removed"> => {
  if (text === "") return { added: 0, removed: 0, diff: "" }
  const lines = allAdded(text)
  const added = lines.split("\n").length
  return { added, removed: 0, diff: `@@ -0,0 +1,${added} @@\n${lines}` }
}
