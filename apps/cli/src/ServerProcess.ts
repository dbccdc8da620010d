import { spawn } from "node:child_process"
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import { ServerAway } from "./ServerAway.ts"

/** In bytes. */
const largest = 1024 * 1024

const isLarge = (path: string) => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > largest

export type Program = "channels" | "demo" | "doctor" | "main"

/** The server's program, that of the demonstration, and the doctor's. */
export const program = (name: Program) =>
  fileURLToPath(
    // A source of ours runs its sources; what was built runs what was built beside it.
    import.meta.url.endsWith(".ts")
      ? import.meta.resolve(`@rejoin/server/${name}`)
      : new URL(`../../server/dist/${name}.js`, import.meta.url).href
  )

/** Node 22 warns of its SQLite at each start. */
export const quietly = ["--disable-warning=ExperimentalWarning"]

/**
 * Starts a server that outlives us, with Node's own spawn: a process of Effect's ends with its scope. `ended` fails,
 * with what it said, where it ends before it serves.
 */
export const startServer = (log: string) =>
  Effect.try({
    try: () => {
      mkdirSync(dirname(log), { recursive: true, mode: 0o700 })
      // What several commands at once start says it in one file; what is old is not kept for ever.
      const file = openSync(log, isLarge(log) ? "w" : "a", 0o600)
      const from = statSync(log).size
      const child = spawn(process.execPath, [...quietly, program("main")], {
        detached: true,
        stdio: ["ignore", file, file]
      })
      closeSync(file)
      child.unref()
      const ended = Effect.callback<never, ServerAway>((resume) => {
        const tell = (code: unknown) => {
          const message = `The server did not start. ${readFileSync(log).subarray(from).toString("utf8").trim()}`
          // EX_TEMPFAIL: somebody else's server is there, or will be in a moment (apps/server/src/Failing.ts).
          resume(Effect.fail(new ServerAway({ message, ...(code === 75 && { held: true }) })))
        }
        child.once("error", tell)
        child.once("exit", tell)
        return Effect.sync(() => child.removeAllListeners())
      })
      return { ended }
    },
    catch: (cause) => new ServerAway({ message: `The server cannot be started: ${String(cause)}` })
  })
