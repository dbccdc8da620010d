import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import { type AgentCommand, spawnAgent } from "@rejoin/agent-kit/AgentProcess"
import { hearLines } from "@rejoin/agent-kit/Lines"
import { ProcessOwner, sendSignal } from "@rejoin/agent-kit/ProcessOwner"
import { Deferred, Effect } from "effect"
import { CodexClient } from "./CodexClient.ts"
import { profiles } from "./CodexModes.ts"
import { Initialized, type Notification, type RateLimits, type ServerRequest } from "./CodexSchema.ts"
import { isSupported, supported } from "./CodexVersion.ts"

/** What hears the messages about one thread. */
export interface Listener {
  readonly notification: (notification: Notification) => void
  readonly request: (request: ServerRequest) => void
  /** Of the account: every thread of it hears. */
  readonly limits: (limits: RateLimits) => void
}

/** A running app-server: one process for many threads. */
export interface CodexServer {
  readonly client: CodexClient
  readonly pid: number
  readonly version: string
  /** As the server itself tells it. */
  readonly codexHome: string
  readonly gone: Deferred.Deferred<string>
  /** Does it, and if the server owes an answer then and says nothing at all, ends it: it would hold up every thread. */
  readonly unlessHung: <A, E, R>(body: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** One listener a thread. */
  readonly listen: (threadId: string, listener: Listener) => () => void
}

// For this process only; the user's configuration stays as it is.
const overrides = {
  check_for_update_on_startup: "false",
  // A thread that nobody is subscribed to any more is closed at once, and its writer's lock is free.
  thread_unload_delay_secs: "0",
  // Sub-agents outlive the turn that began them, and goals begin turns by themselves: neither can be interrupted
  // with the turn, or waited for.
  "features.multi_agent": "false",
  "agents.enabled": "false",
  "features.goals": "false",
  // A model that cannot be reached is a failed turn, not one that never ends.
  "features.unbounded_connection_retries": "false",
  "features.default_mode_request_user_input": "true",
  // Both bring tools of other servers (see `withoutServers`).
  "features.apps": "false",
  "features.plugins": "false",
  ...profiles
}

/** How long it may owe an answer without a word, in beats of a second: while it works, and when a session has left it. */
const beatsMissed = 40
const beatsMissedAtEnd = 7

const threadOf = ({ params }: Notification | ServerRequest): string => params.threadId

/** Starts an app-server in the scope that ends it. `sqliteHome` gives it an index of its own. */
export const startServer = Effect.fn("CodexServer.start")(function* (
  options: Pick<AgentCommand, "provider" | "binary" | "environment" | "cwd"> & {
    readonly sqliteHome: string | undefined
    readonly home: string
  }
) {
  const { home, provider, sqliteHome } = options
  const owner = yield* ProcessOwner
  // The sandbox's own program drops our mark. Cut off in its first moments, it outlives whoever started it
  // (docs/providers/codex.md: Crash).
  const strays = owner.sweepStrays({
    program: "bwrap",
    // A release of Codex's is `codex-<platform>`, and an operator may call it as they like.
    parents: ["codex", "bwrap", options.binary.slice(options.binary.lastIndexOf("/") + 1)],
    environment: `${home}/tmp/arg0`
  })
  yield* strays
  yield* Effect.addFinalizer(() => strays)
  const config = {
    ...overrides,
    ...(sqliteHome !== undefined && { sqlite_home: JSON.stringify(sqliteHome) })
  }
  const process = yield* spawnAgent({
    ...options,
    args: ["app-server", ...Object.entries(config).flatMap(([key, value]) => ["-c", `${key}=${value}`])]
  })
  const listeners = new Map<string, Listener>()
  const client: CodexClient = new CodexClient(provider, process, {
    // Of a thread that nobody listens to any more there is nothing to tell.
    notification: (message) => listeners.get(threadOf(message))?.notification(message),
    limits: (limits) => {
      for (const listener of listeners.values()) listener.limits(limits)
    },
    request: (request) => {
      const listener = listeners.get(threadOf(request))
      if (listener === undefined) client.refuse(request.id, "Nobody is there to answer.")
      else listener.request(request)
    }
  })
  yield* hearLines("Codex", process, client.receive)
  // One that hangs is ended, and another one is started for who comes next. Counted in beats, not in time: a machine that
  // slept has missed none.
  const endIfSilent = (beats: number, unlessItSpeaks: boolean) =>
    Effect.gen(function* () {
      for (let [silent, heard] = [0, client.heard]; silent < beats; heard = client.heard) {
        yield* Effect.sleep("1 second")
        const speaks = !client.owes() || client.heard !== heard
        if (speaks && unlessItSpeaks) return
        silent = speaks ? 0 : silent + 1
      }
      yield* Effect.logWarning("Codex owes an answer and says nothing: its server is ended.")
      yield* sendSignal(process.pid, "SIGKILL")
      yield* Deferred.await(process.gone)
    }).pipe(Effect.raceFirst(Deferred.await(process.gone)), Effect.asVoid)
  yield* endIfSilent(beatsMissed, false).pipe(Effect.forkScoped)
  const clientInfo = { name: "rejoin", title: "Rejoin", version: "0.1.0" }
  const { codexHome, userAgent } = yield* client.call(Initialized, "initialize", {
    clientInfo,
    capabilities: { experimentalApi: true, requestAttestation: false }
  })
  client.notify("initialized")
  const version = /\/(\d+\.\d+\.\d+\S*)/.exec(userAgent)?.[1]
  if (version === undefined) {
    return yield* new ProviderFailed({ provider, message: `Codex tells no version: ${userAgent}` })
  }
  if (!isSupported(version)) {
    const message = `Codex ${version} is not supported: this adapter knows ${supported}.`
    return yield* new ProviderUnavailable({ provider, message })
  }
  const server: CodexServer = {
    client,
    pid: process.pid,
    version,
    codexHome,
    gone: process.gone,
    unlessHung: (body) =>
      Effect.tap(body, () => (client.owes() ? endIfSilent(beatsMissedAtEnd, true) : Effect.void)),
    listen: (threadId, listener) => {
      listeners.set(threadId, listener)
      return () => {
        if (listeners.get(threadId) === listener) listeners.delete(threadId)
      }
    }
  }
  return server
})
