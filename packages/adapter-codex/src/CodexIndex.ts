import { Data, Effect, type FileSystem } from "effect"
import { DatabaseSync } from "node:sqlite"

/** Codex's index of its threads could not be read. */
export class IndexUnreadable extends Data.TaggedError("IndexUnreadable")<{ readonly message: string }> {}

/** The newest of Codex's databases of its threads; undefined where there is none. */
export const databaseOf = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, home: string) {
  const names = yield* fs.readDirectory(home).pipe(
    Effect.catchIf(
      ({ reason }) => reason._tag === "NotFound",
      () => Effect.succeed<Array<string>>([])
    )
  )
  const [newest] = names
    .filter((name) => /^state_\d+\.sqlite$/.test(name))
    .sort((a, b) => Number(/\d+/.exec(b)) - Number(/\d+/.exec(a)))
  return newest === undefined ? undefined : `${home}/${newest}`
})

/**
 * Where Codex's own index has the thread's rollout; null where it has no such thread. Read only: the database is the
 * user's, and is never written.
 */
export const rolloutPathOf = Effect.fnUntraced(function* (
  fs: FileSystem.FileSystem,
  home: string,
  threadId: string
) {
  const path = yield* databaseOf(fs, home)
  if (path === undefined) return null
  return yield* Effect.try({
    try: () => {
      const database = new DatabaseSync(path, { readOnly: true, timeout: 2000 })
      try {
        const row = database.prepare("select rollout_path from threads where id = ?").get(threadId)
        return typeof row?.["rollout_path"] === "string" ? row["rollout_path"] : null
      } finally {
        database.close()
      }
    },
    catch: (error) => new IndexUnreadable({ message: String(error) })
  })
})
