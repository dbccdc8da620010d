import type { CwdNotAllowed, CwdUnavailable } from "@rejoin/contracts/Errors"
import type { ChangedFile, WorkingTree } from "@rejoin/contracts/WorkingTree"
import { WorkingDirectory } from "@rejoin/core/threads/WorkingDirectory"
import { Context, Effect, FileSystem, Layer, Path } from "effect"
import { ChildProcessSpawner } from "effect/process"
import { gitUpTo } from "./Git.ts"

/** What a person reads at once, and a page draws. */
const most = { files: 500, bytes: 1_000_000, untracked: 64_000 }

/** The tree of a repository in which nothing was committed yet. */
const nothing = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

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

      /** A small file that is text, and no link: as a difference that adds all of it. */
      const untracked = Effect.fnUntraced(function* (root: string, path: string) {
        const file = { path, status: "untracked" as const, added: null, removed: null, diff: "" }
        const real = yield* fs.realPath(join(root, path))
        const { size, type } = yield* fs.stat(real)
        if (real !== join(root, path) || type !== "File" || size > most.untracked) return file
        const text = yield* fs.readFileString(real)
        return text.includes("\0") ? file : { ...file, ...allAdded(text) }
      })

      const changes = Effect.fn("WorkingTrees.changes")(function* (asked: string) {
        const root = yield* line(yield* working.admit(asked), "rev-parse", "--show-toplevel")
        // A checkout may reach beyond where threads may work.
        const isShown = root !== undefined && (yield* Effect.isSuccess(working.admit(root)))
        if (!isShown) return { root: null, files: [], truncated: false }
        const base = (yield* line(root, "rev-parse", "--verify", "--quiet", "HEAD")) ?? nothing
        const compare = ["diff", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames", base]
        const names = yield* git(root, ...compare, "--name-status", "-z")
        const counts = yield* git(root, ...compare, "--numstat", "-z")
        const patch = yield* git(root, ...compare)
        const others = yield* git(root, "ls-files", "--others", "--exclude-standard", "-z")
        const tracked = changedIn(names?.printed ?? "", counts?.printed ?? "", patch?.printed ?? "")
        const found = (others?.printed ?? "").split("\0").filter((path) => path !== "")
        const fresh = yield* Effect.forEach(
          found.slice(0, Math.max(0, most.files - tracked.length)),
          (path) =>
            Effect.orElseSucceed(untracked(root, path), () => ({
              path,
              status: "untracked" as const,
              added: null,
              removed: null,
              diff: ""
            }))
        )
        const cut = [names, counts, patch, others].some((told) => told === undefined || told.isCut)
        const truncated = cut || tracked.length + found.length > most.files
        return { root, files: [...tracked.slice(0, most.files), ...fresh], truncated }
      })

      const files = Effect.fn("WorkingTrees.files")(function* (asked: string, q: string) {
        const path = yield* working.admit(asked)
        const listed = yield* git(path, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
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

const allAdded = (text: string): Pick<ChangedFile, "added" | "diff" | "removed"> => {
  const lines = text === "" ? [] : text.replace(/\n$/, "").split("\n")
  const head = `@@ -0,0 +1,${lines.length} @@`
  return {
    added: lines.length,
    removed: 0,
    diff: lines.length === 0 ? "" : [head, ...lines.map((added) => `+${added}`)].join("\n")
  }
}

const statuses: Readonly<Record<string, ChangedFile["status"]>> = { A: "added", D: "deleted" }

/** The files of `git diff`, whose three ways to print it have the same order. */
export const changedIn = (names: string, counts: string, patch: string): ReadonlyArray<ChangedFile> => {
  const named = names.split("\0")
  const counted = counts.split("\0")
  // A line of a file has a sign before it: none of them begins so.
  const patches = patch.split(/^diff --git /m).slice(1)
  const number = (text: string | undefined) => (text === undefined || text === "-" ? null : Number(text))
  return Array.from({ length: Math.floor(named.length / 2) }, (_, at) => {
    const [added, removed] = counted[at]?.split("\t") ?? []
    const text = patches[at] ?? ""
    const first = /^@@/m.exec(text)?.index
    return {
      path: named[2 * at + 1] ?? "",
      status: statuses[named[2 * at] ?? ""] ?? "modified",
      added: number(added),
      removed: number(removed),
      diff: first === undefined ? "" : text.slice(first).replace(/\n$/, "")
    }
  })
}

/** How well a path fits: its name begins so, has it, the path has it, or has its characters in this order. */
const fit = (path: string, wanted: string): number => {
  const name = path.slice(path.lastIndexOf("/") + 1)
  if (name.startsWith(wanted)) return 0
  if (name.includes(wanted)) return 1
  if (path.includes(wanted)) return 2
  let from = 0
  for (const character of wanted) {
    from = path.indexOf(character, from) + 1
    if (from === 0) return Infinity
  }
  return 3
}

/** The files that fit, best first; of those that fit as well, the shorter path. */
export const fitting = (paths: ReadonlyArray<string>, q: string): ReadonlyArray<string> => {
  const wanted = q.toLowerCase()
  return paths
    .map((path) => ({ path, rank: fit(path.toLowerCase(), wanted) }))
    .filter(({ rank }) => rank < Infinity)
    .toSorted((a, b) => a.rank - b.rank || a.path.length - b.path.length || (a.path < b.path ? -1 : 1))
    .map(({ path }) => path)
}
