import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import { ProcessOwner, sendSignal } from "@rejoin/core/ProcessOwner"
import {
  Deferred,
  Effect,
  Exit,
  FileSystem,
  Predicate,
  Queue,
  Redacted,
  Result,
  Schema,
  Stream
} from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { OpenCodeClient } from "./OpenCodeClient.ts"
import { serverPermission } from "./OpenCodePermissions.ts"
import { BusEvent, sessionOf } from "./OpenCodeSchema.ts"
import { newId } from "@rejoin/core/NewId"

export interface ServerOptions {
  readonly provider: string
  /** Absent for a server of ours. A server by URL belongs to somebody else and is never stopped. */
  readonly url?: string | undefined
  readonly password?: Redacted.Redacted | undefined
  readonly binary: string
  /** The whole environment of the process, without the mark of its owner. */
  readonly environment: Readonly<Record<string, string>>
  /** Merged into OpenCode's configuration, for this server only. */
  readonly config: Readonly<Record<string, unknown>>
}

type Listener = (event: BusEvent) => void

/** A running OpenCode server, and its one subscription to everything that happens on it. */
export interface OpenCodeServer {
  readonly client: OpenCodeClient
  readonly version: string
  /** Runs a listener on the events of one session and of its sub-agents. Synchronous, so that nothing is missed. */
  readonly listen: (sessionId: string, listener: Listener) => () => void
  /** Done with the reason when the server or its stream of events is gone, and all that it started with it. */
  readonly gone: Deferred.Deferred<string>
}

/** The versions whose behaviour was measured: the API of 2.x is another one. */
export const isSupported = (version: string): boolean => {
  const [major, minor] = version.split(".").map(Number)
  return major === 1 && minor !== undefined && minor >= 18
}

const Health = Schema.Struct({ healthy: Schema.Boolean, version: Schema.String })
const decodeEvent = Schema.decodeUnknownResult(BusEvent)

/** Starts a server, or connects to one, in the scope that ends it. Returns when its events are subscribed. */
export const startServer = Effect.fn("OpenCodeServer.start")(function* (options: ServerOptions) {
  const lost = yield* Deferred.make<string>()
  const gone = yield* Deferred.make<string>()
  const spawned = options.url === undefined ? yield* spawn(options, lost) : undefined
  const connection = spawned ?? { url: options.url ?? "", password: options.password }
  // Gone is gone with all that it started: nothing resumes while a tool of a dead server still works (law 9).
  yield* Deferred.await(lost).pipe(
    Effect.tap(() => spawned?.end ?? Effect.void),
    Effect.flatMap((reason) => Deferred.succeed(gone, reason)),
    Effect.forkScoped
  )
  const client = new OpenCodeClient(options.provider, connection)
  const { version } = yield* client.read("health", Health, (sdk, signal) => sdk.global.health({ signal }))
  if (!isSupported(version)) {
    return yield* new ProviderUnavailable({
      provider: options.provider,
      message: `OpenCode ${version} is not supported: this adapter knows 1.18 and later 1.x.`
    })
  }
  const roots = new Map<string, string>()
  const listeners = new Map<string, Set<Listener>>()
  const dispatch = (payload: unknown) => {
    const decoded = decodeEvent(payload)
    if (Result.isFailure(decoded)) return
    const event = decoded.success
    if (event.type === "session.created" && event.properties.info.parentID !== undefined) {
      const { id, parentID } = event.properties.info
      roots.set(id, roots.get(parentID) ?? parentID)
    }
    const id = sessionOf(event)
    if (id === undefined) return
    // Events of sessions that nobody here listens to end at this point (C20).
    for (const listener of listeners.get(roots.get(id) ?? id) ?? []) listener(event)
    if (event.type === "session.deleted") roots.delete(id)
  }
  yield* subscribe(client, dispatch, lost)
  const server: OpenCodeServer = {
    client,
    version,
    gone,
    listen: (sessionId, listener) => {
      const own = listeners.get(sessionId) ?? new Set()
      listeners.set(sessionId, own)
      own.add(listener)
      return () => {
        own.delete(listener)
        if (own.size === 0) listeners.delete(sessionId)
      }
    }
  }
  return server
})

/**
 * One `/global/event` a server. The SDK connects at the first pull, and by default connects again without end and
 * loses what came meanwhile: one break ends it here, and that is an exit (C30).
 */
const subscribe = Effect.fnUntraced(function* (
  client: OpenCodeClient,
  dispatch: (payload: unknown) => void,
  lost: Deferred.Deferred<string>
) {
  const connected = yield* Deferred.make<void>()
  const ended = yield* Deferred.make<void>()
  // Closed last to first: the signal ends the pull at once, where an interrupt would wait for the next heartbeat.
  yield* Effect.addFinalizer(() => Deferred.await(ended))
  const signal = yield* Effect.abortSignal
  const events = yield* Effect.tryPromise({
    try: () => client.sdk.global.event({ signal, sseMaxRetryAttempts: 1 }),
    catch: (cause) => client.failure("events", { _tag: "Down", cause: String(cause) })
  }).pipe(Effect.onError(() => Deferred.succeed(ended, undefined)))
  yield* Stream.fromAsyncIterable(events.stream as AsyncIterable<unknown>, String).pipe(
    Stream.runForEach((envelope) =>
      Effect.sync(() => {
        const payload = Predicate.hasProperty(envelope, "payload") ? envelope.payload : undefined
        Deferred.doneUnsafe(connected, Effect.void)
        dispatch(payload)
      })
    ),
    Effect.ignore,
    Effect.andThen(Deferred.succeed(lost, "its stream of events ended")),
    Effect.ensuring(Deferred.succeed(ended, undefined)),
    Effect.forkDetach
  )
  yield* Effect.raceFirst(
    Deferred.await(connected),
    Effect.flatMap(Deferred.await(lost), (reason) =>
      Effect.fail(
        new ProviderUnavailable({ provider: client.provider, message: `OpenCode is gone: ${reason}.` })
      )
    )
  )
})

const listening = /listening on (http:\/\/\S+)/

const spawn = Effect.fnUntraced(function* (options: ServerOptions, lost: Deferred.Deferred<string>) {
  const owner = yield* ProcessOwner
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const fs = yield* FileSystem.FileSystem
  const password = Redacted.make(yield* newId("pw"))
  const pool = yield* newId("srv")
  const unavailable = (message: string) => new ProviderUnavailable({ provider: options.provider, message })
  // Registered first, so it runs last: tools that the server started outlive it, whatever ended it.
  yield* Effect.addFinalizer(() => owner.sweepPool(pool))
  const cwd = yield* fs
    .makeTempDirectoryScoped({ prefix: "rejoin-opencode-" })
    .pipe(Effect.mapError((e) => unavailable(e.message)))
  const config = { autoupdate: false, share: "disabled", ...options.config, permission: serverPermission }
  const handle = yield* spawner
    .spawn(
      ChildProcess.make(options.binary, ["serve", "--hostname", "127.0.0.1", "--port", "0"], {
        cwd,
        env: {
          ...options.environment,
          ...owner.mark(pool),
          OPENCODE_SERVER_PASSWORD: Redacted.value(password),
          OPENCODE_CONFIG_CONTENT: JSON.stringify(config)
        },
        extendEnv: false,
        stdin: "ignore",
        // The end is ours: dispose, then TERM, TERM, KILL.
        killSignal: "SIGKILL"
      })
    )
    .pipe(
      Effect.mapError((error) =>
        unavailable(`OpenCode cannot be started (${options.binary}): ${error.message}`)
      )
    )
  const lines = yield* Queue.unbounded<string>()
  const last: Array<string> = []
  yield* handle.all.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) =>
      Effect.sync(() => {
        last.push(line)
        if (last.length > 20) last.shift()
        Queue.offerUnsafe(lines, line)
      })
    ),
    Effect.ignore,
    Effect.forkScoped
  )
  yield* handle.exitCode.pipe(
    Effect.exit,
    Effect.flatMap((exit) =>
      Deferred.succeed(
        lost,
        Exit.isSuccess(exit) ? `the process ended with ${exit.value}` : "the process was killed"
      )
    ),
    Effect.forkScoped
  )
  // Connections made before this line hang for ever (providers/opencode.md: Costs).
  const url = yield* Queue.take(lines).pipe(
    Effect.map((line) => listening.exec(line)?.[1]),
    Effect.repeat({ until: Predicate.isNotUndefined }),
    Effect.raceFirst(
      Effect.flatMap(Deferred.await(lost), (reason) =>
        Effect.fail(unavailable(`OpenCode did not start: ${reason}. ${last.join(" ").slice(0, 500)}`))
      )
    ),
    Effect.timeoutOrElse({
      duration: "30 seconds",
      orElse: () => Effect.fail(unavailable("OpenCode did not start listening within 30 seconds."))
    })
  )
  // Later lines are not kept.
  yield* Queue.take(lines).pipe(Effect.forever, Effect.forkScoped)
  if (url === undefined)
    return yield* new ProviderFailed({ provider: options.provider, message: "OpenCode told no address." })
  const client = new OpenCodeClient(options.provider, { url, password })
  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      if (!(yield* handle.isRunning.pipe(Effect.orElseSucceed(() => false)))) return
      // Ends running turns and their tools; a signal alone would orphan them.
      yield* client
        .run("dispose", (sdk, signal) => sdk.global.dispose({ signal }))
        .pipe(Effect.timeout("1 second"), Effect.ignore)
      const ended = Effect.ignore(handle.exitCode)
      // One SIGTERM can be swallowed (providers/opencode.md: Crash).
      for (const signal of ["SIGTERM", "SIGTERM", "SIGKILL"] as const) {
        yield* sendSignal(handle.pid, signal)
        const done = yield* Effect.timeoutOption(ended, "700 millis")
        if (done._tag === "Some") return
      }
    })
  )
  const end = Effect.andThen(sendSignal(handle.pid, "SIGKILL"), owner.sweepPool(pool))
  return { url, password, end }
})
