import { modelsOf } from "./OpenCodeModels.ts"
import { ProviderUnavailable } from "@rejoin/contracts/Errors"
import { MessageId, StoreId } from "@rejoin/contracts/Ids"
import type { Capabilities } from "@rejoin/contracts/Provider"
import { agentInfo, programStamp, programVersion } from "@rejoin/agent-kit/AgentInfo"
import { newId } from "@rejoin/core/NewId"
import { probed, requireStore as makeRequireStore } from "@rejoin/agent-kit/Probing"
import { Probe, ProbeFailure } from "@rejoin/core/plan/Probe"
import { ProcessOwner } from "@rejoin/agent-kit/ProcessOwner"
import {
  eraseCursor,
  type Leftover,
  ProviderAdapter,
  type ProviderAdapterShape
} from "@rejoin/core/providers/ProviderAdapter"
import type { Environment } from "@rejoin/core/providers/ResumeCursor"
import { Effect, FileSystem, Layer, Option, Predicate, Schema } from "effect"
import { ChildProcessSpawner } from "effect/process"
import { decodeCursor, type OpenCodeCursor } from "./OpenCodeCursor.ts"
import { Agent, Session } from "./OpenCodeSchema.ts"
import { type Widening, widening, withAsking } from "./OpenCodePermissions.ts"
import { isKeptOut, keptOut, powers } from "./OpenCodePowers.ts"
import { findPowers } from "@rejoin/agent-kit/RepoPowers"
import { isSupported, startServer, supported } from "./OpenCodeServer.ts"
import type { OpenCodeClient } from "./OpenCodeClient.ts"
import { makeOwn } from "./OpenCodeOwn.ts"
import { isRecord, newRecords } from "./OpenCodeRecords.ts"
import type { OpenCodeOptions } from "./OpenCodeOptions.ts"
import { makeStarts } from "./OpenCodeStarts.ts"
import { configHomes, dataHome, makeTerminal } from "./OpenCodeTerminal.ts"
import { makeUpstream, type OpenCodeUpstream } from "./OpenCodeUpstream.ts"
import { makeServerPool, poolKey } from "@rejoin/agent-kit/ServerPool"
import { markedStoreOf, placeOf } from "@rejoin/agent-kit/StoreIdentity"

const capabilitiesOf = ({ url }: OpenCodeOptions): Capabilities => ({
  runtimeModes: ["read-only", "approval-required", "auto-accept-edits", "full-access"],
  relocate: ["fork", "copy"],
  reconfigure: true,
  steer: true,
  interrupt: true,
  fork: ["whole", "turn"],
  // Into the store of somebody else's server nothing can be written.
  restore: url === undefined,
  compose: url === undefined,
  additionalDirectories: false,
  systemPrompt: true,
  // The server of somebody else has no program here.
  terminal: url === undefined
})

interface PoolKey extends Pick<Environment, "extraEnv" | "loads"> {
  readonly asking: Widening
  /** Its data directory (`placeOf`). */
  readonly place: string
}

const make = Effect.fnUntraced(function* (options: OpenCodeOptions) {
  const fs = yield* FileSystem.FileSystem
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const { environment, id } = options
  const capabilities = capabilitiesOf(options)
  const dataDirectory = `${dataHome(environment)}/opencode`
  const provided = Effect.provideService(FileSystem.FileSystem, fs)
  const storeId =
    options.url === undefined
      ? Effect.map(provided(markedStoreOf(dataDirectory)), ({ id }) => id)
      : Effect.succeed(StoreId.make(`url:${options.url}`))

  const owner = yield* ProcessOwner
  /** Agents that would not ask where their session does, by what is loaded (`OpenCodePermissions`). */
  const known = new Map<string | null, Widening>()

  // One server for all threads with the same environment; what a trusted directory brings has one of its own.
  const pool = yield* makeServerPool({
    provider: id,
    name: "OpenCode",
    start: ({ asking, extraEnv, loads }: PoolKey) =>
      startServer({
        provider: id,
        binary: options.binary,
        url: options.url,
        password: options.password,
        environment: { ...environment, ...extraEnv, ...(loads === null && keptOut) },
        config: withAsking(options.config ?? {}, asking)
      })
  })
  const place = options.url === undefined ? provided(placeOf(dataDirectory)) : Effect.succeed(options.url)
  const acquire = ({ extraEnv, loads }: Environment) =>
    Effect.flatMap(place, (place) =>
      pool.acquire(poolKey({ extraEnv, loads, place, asking: known.get(loads) ?? {} } satisfies PoolKey))
    )

  const wideningIn = (of: Environment, directory: string) =>
    Effect.scoped(
      Effect.flatMap(acquire(of), ({ client }) =>
        client.read("agents", Schema.Array(Agent), (sdk, signal) => sdk.app.agents({ directory }, { signal }))
      )
    ).pipe(Effect.map((agents) => (options.url === undefined ? widening(agents) : {})))

  /** As `acquire`, for a session in this directory: none of the agents that are there asks for less than it. */
  const acquireFor = Effect.fnUntraced(function* (of: Environment, directory: string) {
    const found = yield* wideningIn(of, directory)
    if (Object.keys(found).length > 0) {
      known.set(of.loads, { ...known.get(of.loads), ...found })
      const left = Object.keys(yield* wideningIn(of, directory))
      if (left.length > 0) {
        return yield* new ProviderUnavailable({
          provider: id,
          message: `Agents of OpenCode here do things unasked, and could not be told to ask: ${left.join(", ")}.`
        })
      }
    }
    return yield* acquire(of)
  })

  const withServer = <A, E>(of: Environment, body: (upstream: OpenCodeUpstream) => Effect.Effect<A, E>) =>
    Effect.scoped(
      Effect.flatMap(acquire(of), ({ client }) => body(makeUpstream(client, fs, options.url !== undefined)))
    )

  /** Somebody else's server is known by its URL alone. */
  const requireUrl = Effect.fnUntraced(function* (cursor: OpenCodeCursor) {
    const actual = yield* storeId
    if (actual === cursor.storeId) return
    return yield* new ProbeFailure({ probe: Probe.WrongStore({ expected: cursor.storeId, actual }) })
  })
  const requireStore = options.url === undefined ? makeRequireStore(fs, dataDirectory) : requireUrl
  /** Through whose server a session is live. */
  const clients = new Map<string, OpenCodeClient>()
  const starts = makeStarts({
    options,
    register: (sessionID, client) =>
      Effect.acquireRelease(
        Effect.sync(() => void clients.set(sessionID, client)),
        () => Effect.sync(() => clients.get(sessionID) === client && clients.delete(sessionID))
      ),
    acquire: acquireFor,
    requireStore,
    storeId,
    fs,
    spawner,
    scratch: owner.scratch,
    version: Effect.map(
      Effect.suspend(() => adapter.info),
      ({ version }) => version
    )
  })

  /** Sessions that this start created, though it never came to write their ids down. */
  const nameless = Effect.fnUntraced(function* (
    upstream: OpenCodeUpstream,
    mark: string,
    { cwd, keep, window }: Leftover
  ) {
    // A fork that was not moved yet stands where its source stands.
    const kept = yield* Effect.forEach(keep, (id) => Effect.option(upstream.session(id)))
    const places = new Set([cwd, ...kept.flatMap(Option.toArray).map(({ directory }) => directory)])
    const listed = yield* Effect.forEach([...places], (directory) =>
      upstream.client.read("list", Schema.Array(Session), (sdk, signal) =>
        sdk.session.list({ directory, search: mark, limit: 100 }, { signal })
      )
    )
    return listed
      .flat()
      .filter(
        ({ id, time, title }) =>
          title.includes(mark) &&
          time.created >= window.from &&
          time.created <= window.to &&
          !keep.some((kept) => kept === id)
      )
      .map(({ id }) => id)
  })

  const undo: ProviderAdapterShape<OpenCodeCursor>["undo"] = (leftover) =>
    withServer(leftover, (upstream) =>
      Effect.gen(function* () {
        const { created, titleMark } = leftover
        const found = titleMark === null ? [] : yield* nameless(upstream, titleMark, leftover)
        for (const sessionID of new Set([...created, ...found])) {
          if (!(yield* exists(upstream, sessionID))) continue
          yield* upstream.client.run("delete", (sdk, signal) => sdk.session.delete({ sessionID }, { signal }))
        }
      })
    )

  const exists = (upstream: OpenCodeUpstream, sessionID: string) =>
    Effect.map(
      upstream.client.ask((sdk, signal) => sdk.session.get({ sessionID }, { signal })),
      (answer) => !(answer._tag === "Refused" && answer.status === 404)
    )

  const version =
    options.url === undefined
      ? Effect.provideService(
          programVersion("OpenCode", options.binary, environment),
          ChildProcessSpawner.ChildProcessSpawner,
          spawner
        )
      : Effect.scoped(acquire({ extraEnv: {}, additionalDirectories: [], loads: null })).pipe(
          Effect.map(({ version }) => version),
          Effect.mapError(({ message }) => message)
        )
  const configured = options.config?.["model"]

  const adapter: ProviderAdapterShape<OpenCodeCursor> = {
    id,
    driver: "opencode",
    info: agentInfo({
      id,
      driver: "opencode",
      name: "OpenCode",
      program: options.url ?? options.binary,
      version,
      stamp: options.url === undefined ? programStamp(fs, options.binary) : Effect.succeed(options.url),
      isSupported,
      supported,
      authenticated: Effect.succeed(null),
      model: options.model ?? (Predicate.isString(configured) ? configured : null),
      dataDirectory: options.url === undefined ? dataDirectory : null,
      capabilities
    }),
    capabilities: Effect.succeed(capabilities),
    newMessageId: Effect.map(newId("msg"), (id) => MessageId.make(id)),
    decodeCursor,
    encodeCursor: (cursor) => cursor,
    probe: (cursor, about) =>
      Effect.gen(function* () {
        yield* requireStore(cursor)
        const probe = withServer(about, (upstream) => upstream.probe(cursor, about))
        const first = yield* probe
        // A server that went while it was asked, and was ended for it, is another one by now.
        return first._tag === "Unavailable" ? yield* probe : first
      }).pipe(probed),
    brings: {
      find: findPowers({
        fs,
        agent: "opencode",
        powers,
        own: [`${environment["HOME"] ?? ""}/.opencode`, ...configHomes(environment)]
      }),
      // The server of somebody else loads what it likes.
      keepsOut: (brought) => options.url === undefined && isKeptOut(brought)
    },
    create: starts.create,
    adopt: starts.adopt,
    relocate: { fork: starts.fork, copy: starts.copy },
    ...(options.url === undefined && {
      transcript: ({ providerSessionId }: OpenCodeCursor, position: unknown) =>
        Effect.scoped(
          Effect.flatMap(
            // Where it is live, by its own server; else by the one of those that load nothing of their directory.
            clients.has(providerSessionId)
              ? Effect.succeed(clients.get(providerSessionId))
              : Effect.map(
                  acquire({ extraEnv: {}, additionalDirectories: [], loads: null }),
                  ({ client }) => client
                ),
            (client) =>
              client === undefined
                ? Effect.succeedNone
                : Effect.map(newRecords(client, providerSessionId, position), Option.fromUndefinedOr)
          )
        ),
      restore: starts.restore,
      isRecord,
      own: makeOwn(id, `${dataDirectory}/opencode.db`, storeId),
      compose: starts.compose
    }),
    ...(options.url === undefined && { terminal: makeTerminal(options) }),
    models: withServer({ extraEnv: {}, additionalDirectories: [], loads: null }, ({ client }) =>
      modelsOf(client)
    ),
    quiesce: (cursor, of) => withServer(of, (upstream) => upstream.quiesce(cursor.providerSessionId)),
    delivered: (cursor, messageId, of) =>
      Effect.andThen(
        requireStore(cursor),
        withServer(of, (upstream) => upstream.has(cursor.providerSessionId, messageId))
      ).pipe(Effect.orElseSucceed(() => "unknown" as const)),
    undo
  }
  return eraseCursor(adapter)
})

/** OpenCode as a provider: its servers, sessions and events, for one configured instance. */
export const layer = (
  options: OpenCodeOptions
): Layer.Layer<
  ProviderAdapter,
  never,
  FileSystem.FileSystem | ChildProcessSpawner.ChildProcessSpawner | ProcessOwner
> => Layer.effect(ProviderAdapter, make(options))
