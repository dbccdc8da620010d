import { Effect, type FileSystem, Option, type Scope, Semaphore } from "effect"

/** Each costs 27 MB and three threads, used or not (docs/providers/opencode.md: Costs). */
const warmAtMost = 8

interface Instance {
  users: number
  /** Which directory it was, when it was last left. */
  was: string
}

/**
 * The directories for which a server has an instance. What nobody uses any more is kept warm for who comes back, since
 * a new one costs seconds; of those, the ones that were left longest ago are disposed of.
 */
export const makeDirectories = (
  fs: FileSystem.FileSystem,
  dispose: (directory: string) => Effect.Effect<void>
) => {
  // In the order in which they were left.
  const instances = new Map<string, Instance>()
  const alone = Semaphore.makeUnsafe(1)

  /** Another directory at the same path, or one that became a checkout since, must not be taken for what it was. */
  const identityOf = (directory: string) =>
    Effect.map(
      Effect.forEach([directory, `${directory}/.git`], (path) =>
        fs.stat(path).pipe(
          Effect.map(({ ino }) => Option.getOrElse(ino, () => 0)),
          Effect.orElseSucceed(() => "absent")
        )
      ),
      (found) => found.join(" ")
    )

  const come = Effect.fnUntraced(function* (directory: string) {
    const instance = instances.get(directory) ?? { users: 0, was: "" }
    if (instance.users === 0 && instance.was !== "" && instance.was !== (yield* identityOf(directory))) {
      yield* dispose(directory)
    }
    instance.users++
    instances.set(directory, instance)
  })

  const leave = Effect.fnUntraced(function* (directory: string) {
    const instance = instances.get(directory)
    if (instance === undefined || --instance.users > 0) return
    instance.was = yield* identityOf(directory)
    instances.delete(directory)
    instances.set(directory, instance)
    const warm = [...instances].filter(([, { users }]) => users === 0)
    for (const [left] of warm.slice(0, Math.max(0, warm.length - warmAtMost))) {
      instances.delete(left)
      yield* dispose(left)
    }
  })

  return {
    /** Keeps the instance alive within the scope. Nobody comes to a directory while it is being disposed of. */
    use: (directory: string): Effect.Effect<void, never, Scope.Scope> =>
      Effect.acquireRelease(alone.withPermit(come(directory)), () => alone.withPermit(leave(directory)))
  }
}
