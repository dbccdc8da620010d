import { NodeServices } from "@effect/platform-node"
import { make as makeClient, type RejoinClient } from "@rejoin/client/Client"
import type { ProviderInstanceId } from "@rejoin/contracts/Ids"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { ServerFileJson } from "@rejoin/contracts/ServerFile"
import { isSettled } from "@rejoin/contracts/Turn"
import { sendSignal } from "@rejoin/agent-kit/ProcessOwner"
import { Effect, FileSystem, Option, Path, Redacted, Schedule, Schema, type Scope, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { type AnyAgent, opencode } from "./Agents.ts"
import type { Responder } from "@rejoin/model-server/Model"
import { makeGround } from "./Ground.ts"

const readServerFile = Schema.decodeUnknownEffect(ServerFileJson)

/** `npm test` runs what was built, as users do; vitest by itself runs the sources. */
export const programOf = (built: string, source: string) =>
  new URL(`../../${process.env["REJOIN_BUILT"] === "1" ? built : source}`, import.meta.url).pathname

const main = programOf("apps/server/dist/main.js", "apps/server/src/main.ts")
const path = process.env["PATH"] ?? ""
const node = new URL("../../node_modules/.bin/node", import.meta.url).pathname
const compiled = new URL("../../node_modules/.cache/compiled", import.meta.url).pathname

/** A running server of ours, as a program sees it. */
export interface Server {
  readonly client: RejoinClient
  readonly url: string
  readonly token: string
  readonly pid: number
  /** kill -9 of us alone. What we started is left as it is. */
  readonly kill: Effect.Effect<void>
  /** Waits until it has ended, whatever ended it. */
  readonly ended: Effect.Effect<void>
  /** SIGTERM, and the exit code. */
  readonly stop: Effect.Effect<number>
}

/** The ground with a server of ours on it, which can be started, stopped and killed. Ends with the scope. */
export const makeWorld = Effect.fn("makeWorld")(function* (
  options: {
    readonly config?: Record<string, unknown>
    /** Only OpenCode, unless others are named. */
    readonly agents?: ReadonlyArray<AnyAgent>
    /** The model; the scripted one, unless another is named. */
    readonly respond?: Responder
    /** How many of its newest requests the model keeps; each holds all that was said before it. */
    readonly keep?: number
  } = {}
) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const { join } = yield* Path.Path
  const ground = yield* makeGround(options.agents ?? ["opencode"], options.respond, options.keep)
  const { at, fs, providers, root } = ground
  const home = at("rejoin")
  yield* fs.makeDirectory(home)
  const configure = (config: Record<string, unknown>) =>
    fs.writeFileString(join(home, "config.json"), JSON.stringify({ providers, ...config }))
  yield* configure(options.config ?? {})

  const environment: Readonly<Record<string, string>> = {
    PATH: path,
    HOME: root,
    REJOIN_HOME: home,
    REJOIN_PORT: "0",
    REJOIN_ROOTS: root,
    // As `npm start` does: the server is started often here.
    NODE_COMPILE_CACHE: compiled
  }
  const start = Effect.fn("World.start")(function* (extra: Record<string, string> = {}, program = main) {
    yield* Effect.ignore(fs.remove(join(home, "server.json")))
    const handle = yield* spawner.spawn(
      ChildProcess.make(node, [program], {
        cwd: root,
        env: { ...environment, ...extra },
        extendEnv: false,
        stdin: "ignore",
        stdout: "ignore",
        stderr: "inherit",
        // A stop waits up to five seconds for copies, and then ends the agents: who is killed before leaves them.
        forceKillAfter: "30 seconds"
      })
    )
    const file = yield* fs
      .readFileString(join(home, "server.json"))
      .pipe(
        Effect.flatMap(readServerFile),
        Effect.retry(Schedule.spaced("25 millis")),
        Effect.raceFirst(
          Effect.flatMap(handle.exitCode, (code) => Effect.die(`the server ended with ${code}`))
        ),
        Effect.timeout("60 seconds")
      )
    const token = extra["REJOIN_TOKEN"] ?? (yield* fs.readFileString(join(home, "token"))).trim()
    const server: Server = {
      client: yield* makeClient({ url: file.url, token: Redacted.make(token) }),
      url: file.url,
      token,
      pid: handle.pid,
      ended: Effect.ignore(handle.exitCode),
      kill: Effect.andThen(sendSignal(handle.pid, "SIGKILL"), Effect.ignore(handle.exitCode)),
      stop: Effect.andThen(
        Effect.sync(() => process.kill(handle.pid, "SIGTERM")),
        Effect.orElseSucceed(handle.exitCode, () => -1)
      )
    }
    return server
  })

  return { ...ground, home, start, configure, environment }
})

export type World = Effect.Success<ReturnType<typeof makeWorld>>

/** Opens a thread, by default on OpenCode and with full access. */
export const open = (
  server: Server,
  cwd: string,
  runtimeMode: RuntimeMode = "full-access",
  provider: ProviderInstanceId = opencode
) => Effect.map(server.client.threads.create({ payload: { provider, cwd, runtimeMode } }), ({ id }) => id)

export const send = (server: Server, id: string, input: string) =>
  server.client.turns.send({ params: { id }, payload: { input } })

/** Waits until the turn is settled; the test's own time limit is the end of the wait. */
export const settled = (server: Server, id: string, turnId: string) =>
  server.client.turns
    .get({ params: { id, turnId }, query: { wait: 60 } })
    .pipe(Effect.repeat({ until: ({ status }) => isSettled(status) }))

/** Sends and waits until the turn is settled. */
export const say = (server: Server, id: string, input: string) =>
  Effect.flatMap(send(server, id, input), (sent) => settled(server, id, sent.id))

/** The first event of this kind on the thread, from its beginning. */
export const event = (
  server: Server,
  id: string,
  type: RuntimeEvent["type"],
  where: (event: RuntimeEvent) => boolean = () => true
) =>
  server.client.follow(id, 0).pipe(
    Stream.filter((event) => event.type === type && where(event)),
    Stream.runHead,
    Effect.map(Option.getOrThrow),
    Effect.timeout("60 seconds")
  )

export const receipts = (server: Server, id: string) =>
  Effect.map(server.client.threads.receipts({ params: { id }, query: {} }), ({ items }) => items)

/** Pids of this machine whose environment has the text, ourselves left out. */
export const processesWith = Effect.fn("processesWith")(function* (text: string) {
  const fs = yield* FileSystem.FileSystem
  const names = yield* fs.readDirectory("/proc")
  const pids = names.filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const found: Array<number> = []
  for (const pid of pids) {
    const environ = yield* fs.readFileString(`/proc/${pid}/environ`).pipe(Effect.orElseSucceed(() => ""))
    const stat = yield* fs.readFileString(`/proc/${pid}/stat`).pipe(Effect.orElseSucceed(() => ") Z "))
    if (environ.includes(text) && !/\) Z /.test(stat)) found.push(Number(pid))
  }
  return found
})

export const commandOf = Effect.fn("commandOf")(function* (pid: number) {
  const fs = yield* FileSystem.FileSystem
  const line = yield* fs.readFileString(`/proc/${pid}/cmdline`).pipe(Effect.orElseSucceed(() => ""))
  return line.replaceAll("\0", " ").trim()
})

/** Waits until it holds; the test's own time limit is the end of the wait. */
export const until = <E, R>(holds: Effect.Effect<boolean, E, R>) =>
  Effect.repeat(holds, { until: (done) => done, schedule: Schedule.spaced("50 millis") })

export const live = <A, E>(
  body: Effect.Effect<
    A,
    E,
    FileSystem.FileSystem | Path.Path | ChildProcessSpawner.ChildProcessSpawner | Scope.Scope
  >
) => Effect.scoped(body).pipe(Effect.provide(NodeServices.layer))
