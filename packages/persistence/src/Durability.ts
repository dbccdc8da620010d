import { StoreFailed } from "@rejoin/contracts/Errors"
import { Effect, Semaphore } from "effect"
import { open } from "node:fs/promises"

/**
 * Brings what was committed onto the disk, off the main thread: SQLite would wait for the disk at each commit, on the
 * thread that serves everybody. All that is committed is in the write-ahead log, so that is the file to be synced; SQLite
 * itself syncs it before its content goes into the database (`synchronous=NORMAL`, https://sqlite.org/wal.html#performance_considerations).
 * Who asks while a sync runs waits for the next one, which is one for all of them.
 */
export const makeDurability = (filename: string): Effect.Effect<void, StoreFailed> => {
  if (filename === ":memory:") return Effect.void
  const one = Semaphore.makeUnsafe(1)
  let asked = 0
  let reached = 0
  let failed: StoreFailed | undefined
  const sync = Effect.tryPromise({
    try: async () => {
      // Opened each time: a descriptor of ours would outlive a log that SQLite makes anew. Where it keeps none (a file
      // system without shared memory), all that is committed is in the file itself.
      const log = await open(`${filename}-wal`, "r").catch((cause: NodeJS.ErrnoException) => {
        if (cause.code !== "ENOENT") throw cause
        return open(filename, "r")
      })
      try {
        await log.datasync()
      } finally {
        await log.close()
      }
    },
    catch: (cause) =>
      new StoreFailed({
        message: `What was written may not be on the disk: ${String(cause)}. Nothing more is accepted until a restart.`
      })
  })
  return Effect.suspend(() => {
    const ticket = ++asked
    return one.withPermit(
      Effect.suspend(() => {
        // The system tells such an error once, and then forgets what it could not write.
        if (failed !== undefined) return Effect.fail(failed)
        if (reached >= ticket) return Effect.void
        const covered = asked
        return sync.pipe(
          Effect.tap(() => Effect.sync(() => (reached = covered))),
          Effect.tapError((error) => Effect.sync(() => (failed = error))),
          Effect.uninterruptible
        )
      })
    )
  })
}
