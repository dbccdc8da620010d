import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import { MessageId, ProviderInstanceId, ProviderSessionId, StoreId } from "@rejoin/contracts/Ids"
import type { Capabilities } from "@rejoin/contracts/Provider"
import { newId } from "@rejoin/core/NewId"
import { Probe, ProbeFailure } from "@rejoin/core/Probe"
import { ProcessOwner } from "@rejoin/core/ProcessOwner"
import {
  type AdapterFailure,
  type Environment,
  eraseCursor,
  ProviderAdapter,
  type ProviderAdapterShape,
  type StartRequest
} from "@rejoin/core/ProviderAdapter"
import {
  Deferred,
  Effect,
  FileSystem,
  Layer,
  Option,
  RcMap,
  type Redacted,
  Result,
  Schema,
  type Scope
} from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { copyOf, isExport } from "./OpenCodeCopy.ts"
import { cursorOf, decodeCursor, type OpenCodeCursor } from "./OpenCodeCursor.ts"
import { rulesOf } from "./OpenCodePermissions.ts"
import { Session } from "./OpenCodeSchema.ts"
import { isSupported, type OpenCodeServer, startServer } from "./OpenCodeServer.ts"
import { connect, modelFact } from "./OpenCodeSession.ts"
import { OpenCodeUpstream } from "./OpenCodeUpstream.ts"
import { storeIdOf } from "./StoreIdentity.ts"

export interface OpenCodeOptions {
  readonly id: ProviderInstanceId
  /** OpenCode's own native program. */
  readonly binary: string
  /** A server that somebody else runs, with its password. It is never stopped. */
  readonly url?: string | undefined
  readonly password?: Redacted.Redacted | undefined
  /** The whole environment of the agent. `XDG_DATA_HOME` or `HOME` in it says where the sessions are. */
  readonly environment: Readonly<Record<string, string>>
  /** Merged into OpenCode's configuration for our server only; the user's files stay as they are. */
  readonly config?: Readonly<Record<string, unknown>>
  /** `provider/model` for threads that name none. */
  readonly model?: string | undefined
}

const capabilities: Capabilities = {
  runtimeModes: ["read-only", "approval-required", "auto-accept-edits", "full-access"],
  relocate: ["fork", "copy"],
  reconfigure: true,
  steer: true,
  interrupt: true,
  restore: false
}

const none: Capabilities = {
  runtimeModes: [],
  relocate: [],
  reconfigure: false,
  steer: false,
  interrupt: false,
  restore: false
}

const make = Effect.fnUntraced(function* (options: OpenCodeOptions) {
  const fs = yield* FileSystem.FileSystem
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const { environment, id } = options
  const dataHome = environment["XDG_DATA_HOME"] ?? `${environment["HOME"] ?? ""}/.local/share`
  const storeId =
    options.url === undefined
      ? storeIdOf(`${dataHome}/opencode`).pipe(Effect.provideService(FileSystem.FileSystem, fs))
      : Effect.succeed(StoreId.make(`url:${options.url}`))

  // One server for all threads with the same environment. It ends when it has had no session for a while.
  const servers = yield* RcMap.make({
    lookup: (extraEnv: string) =>
      startServer({
        provider: id,
        binary: options.binary,
        url: options.url,
        password: options.password,
        environment: { ...environment, ...(JSON.parse(extraEnv) as Record<string, string>) },
        config: options.config ?? {}
      }),
    idleTimeToLive: "5 minutes"
  })

  const poolKey = ({ extraEnv }: Environment) =>
    JSON.stringify(Object.fromEntries(Object.entries(extraEnv).toSorted(([a], [b]) => (a < b ? -1 : 1))))

  /** A server that lives. One that failed to start, or is gone, is not handed out again. */
  const acquire = Effect.fnUntraced(function* (
    of: Environment
  ): Effect.fn.Return<OpenCodeServer, AdapterFailure, Scope.Scope> {
    const key = poolKey(of)
    for (let attempt = 0; attempt < 2; attempt++) {
      const got = yield* Effect.result(RcMap.get(servers, key))
      if (Result.isSuccess(got) && !Deferred.isDoneUnsafe(got.success.gone)) return got.success
      yield* RcMap.invalidate(servers, key)
      if (Result.isFailure(got)) return yield* got.failure
    }
    return yield* new ProviderUnavailable({
      provider: id,
      message: "OpenCode ends as soon as it is started."
    })
  })

  const withServer = <A, E>(of: Environment, body: (upstream: OpenCodeUpstream) => Effect.Effect<A, E>) =>
    Effect.scoped(Effect.flatMap(acquire(of), ({ client }) => body(new OpenCodeUpstream(client, fs))))

  const requireStore = Effect.fnUntraced(function* (cursor: OpenCodeCursor) {
    const actual = yield* storeId
    if (actual === cursor.storeId) return
    return yield* new ProbeFailure({ probe: Probe.WrongStore({ expected: cursor.storeId, actual }) })
  })

  /** Applies the mode, reads everything back, and goes live. The last act of every start. */
  const finish = Effect.fnUntraced(function* (
    server: OpenCodeServer,
    sessionId: string,
    request: StartRequest,
    mark: MessageId | null
  ) {
    const upstream = new OpenCodeUpstream(server.client, fs)
    yield* upstream.applyMode(sessionId, request.mode)
    const verified = yield* upstream.verify(sessionId, mark)
    const model = request.model ?? options.model ?? null
    const session = yield* connect({
      server,
      upstream,
      cursor: cursorOf(sessionId, yield* storeId),
      directory: request.cwd,
      mode: request.mode,
      model
    })
    return { session, verified: { ...verified, model: modelFact(model) }, mark }
  })

  const create = Effect.fn("OpenCode.create")(function* (request: StartRequest) {
    const server = yield* acquire(request)
    const { client } = server
    const { cwd: directory, mode, title } = request
    const created = yield* client.read("create", Session, (sdk, signal) =>
      sdk.session.create({ directory, title, permission: [...rulesOf[mode]] }, { signal })
    )
    yield* request.created(ProviderSessionId.make(created.id))
    return yield* finish(server, created.id, request, null)
  })

  const adopt = Effect.fn("OpenCode.adopt")(function* (cursor: OpenCodeCursor, request: StartRequest) {
    yield* requireStore(cursor)
    return yield* finish(yield* acquire(request), cursor.providerSessionId, request, request.mark)
  })

  const lostMessages = (found: number, wanted: number) =>
    new ProviderFailed({ provider: id, message: `OpenCode carried over ${found} of ${wanted} messages.` })

  /**
   * A fork keeps its source's directory, whatever it is asked, and loses the permissions: so fork, permissions,
   * move, and then everything is read back (providers/opencode.md: Another directory).
   */
  const fork = Effect.fn("OpenCode.fork")(function* (cursor: OpenCodeCursor, request: StartRequest) {
    yield* requireStore(cursor)
    const server = yield* acquire(request)
    const { client } = server
    const upstream = new OpenCodeUpstream(client, fs)
    const before = yield* upstream.messages(cursor.providerSessionId)
    const forked = yield* client.read("fork", Session, (sdk, signal) =>
      sdk.session.fork({ sessionID: cursor.providerSessionId }, { signal })
    )
    yield* request.created(ProviderSessionId.make(forked.id))
    const sessionID = forked.id
    yield* upstream.applyMode(sessionID, request.mode)
    yield* client.run("title", (sdk, signal) =>
      sdk.session.update({ sessionID, title: request.title }, { signal })
    )
    yield* client.run("move", (sdk, signal) =>
      sdk.experimental.controlPlane.moveSession(
        { sessionID, destination: { directory: request.cwd } },
        { signal }
      )
    )
    const after = yield* upstream.messages(sessionID)
    if (after.length !== before.length) return yield* lostMessages(after.length, before.length)
    const at = before.findIndex(({ info }) => info.id === request.mark)
    const mark = after[at]?.info.id
    return yield* finish(server, sessionID, request, mark === undefined ? null : MessageId.make(mark))
  })

  /** Into another project: only a copy with new ids can be written there, by the program's own import. */
  const copy = Effect.fn("OpenCode.copy")(function* (cursor: OpenCodeCursor, request: StartRequest) {
    yield* requireStore(cursor)
    const server = yield* acquire(request)
    const { client } = server
    const sessionID = cursor.providerSessionId
    const info = yield* client.read("export", Schema.Unknown, (sdk, signal) =>
      sdk.session.get({ sessionID }, { signal })
    )
    const messages = yield* client.read("export", Schema.Unknown, (sdk, signal) =>
      sdk.session.messages({ sessionID }, { signal })
    )
    const { document, messageIds, sessionId } = yield* copyOf(yield* isExport(id, info, messages))
    yield* request.created(ProviderSessionId.make(sessionId))
    yield* importInto(
      request,
      JSON.stringify({ ...document, info: { ...document.info, title: request.title } })
    )
    const upstream = new OpenCodeUpstream(client, fs)
    const after = yield* upstream.messages(sessionId)
    if (after.length !== document.messages.length)
      return yield* lostMessages(after.length, document.messages.length)
    const mark = request.mark === null ? undefined : messageIds.get(request.mark)
    return yield* finish(server, sessionId, request, mark === undefined ? null : MessageId.make(mark))
  })

  const importInto = Effect.fnUntraced(
    function* ({ cwd, extraEnv }: StartRequest, document: string) {
      const file = yield* fs.makeTempFileScoped({ prefix: "rejoin-import-", suffix: ".json" })
      yield* fs.chmod(file, 0o600)
      yield* fs.writeFileString(file, document)
      // It takes directory and project from where it really runs.
      const command = ChildProcess.make(options.binary, ["import", file], {
        cwd,
        env: { ...environment, ...extraEnv, PWD: cwd },
        extendEnv: false,
        stdin: "ignore",
        stdout: "ignore",
        stderr: "ignore",
        forceKillAfter: "1 second"
      })
      const code = yield* Effect.flatMap(spawner.spawn(command), (handle) => handle.exitCode)
      if (code !== 0)
        return yield* new ProviderFailed({ provider: id, message: `OpenCode's import ended with ${code}.` })
    },
    Effect.scoped,
    Effect.catchTag("PlatformError", (error) =>
      Effect.fail(new ProviderFailed({ provider: id, message: `OpenCode's import failed: ${error.message}` }))
    )
  )

  const undo: ProviderAdapterShape<OpenCodeCursor>["undo"] = (leftover) =>
    withServer(leftover, (upstream) =>
      Effect.gen(function* () {
        const { client } = upstream
        // A fork that was not moved yet stands where its source stands.
        const kept = yield* Effect.forEach(leftover.keep, (id) => Effect.option(upstream.session(id)))
        const places = new Set([
          leftover.cwd,
          ...kept.flatMap(Option.toArray).map(({ directory }) => directory)
        ])
        const marked = yield* Effect.forEach([...places], (directory) =>
          client.read("list", Schema.Array(Session), (sdk, signal) =>
            sdk.session.list({ directory, search: leftover.titleMark, limit: 100 }, { signal })
          )
        )
        const ours = marked
          .flat()
          .filter(
            ({ id, title }) => title.includes(leftover.titleMark) && !leftover.keep.some((k) => k === id)
          )
        for (const sessionID of new Set([...leftover.created, ...ours.map(({ id }) => id)])) {
          if ((yield* exists(upstream, sessionID)) === false) continue
          yield* client.run("delete", (sdk, signal) => sdk.session.delete({ sessionID }, { signal }))
        }
      })
    )

  const exists = (upstream: OpenCodeUpstream, sessionID: string) =>
    Effect.map(
      upstream.client.ask((sdk, signal) => sdk.session.get({ sessionID }, { signal })),
      (answer) => !(answer._tag === "Refused" && answer.status === 404)
    )

  const version = yield* Effect.cached(
    options.url === undefined
      ? spawner
          .string(
            ChildProcess.make(options.binary, ["--version"], {
              env: environment,
              extendEnv: false,
              stdin: "ignore"
            })
          )
          .pipe(
            Effect.map((text) => text.trim()),
            Effect.timeout("20 seconds"),
            Effect.mapError((error) => `OpenCode cannot be run (${options.binary}): ${error.message}`)
          )
      : Effect.scoped(acquire({ extraEnv: {}, additionalDirectories: [] })).pipe(
          Effect.map(({ version }) => version),
          Effect.mapError(({ message }) => message)
        )
  )

  const adapter: ProviderAdapterShape<OpenCodeCursor> = {
    id,
    driver: "opencode",
    info: Effect.map(Effect.result(version), (found) => {
      const base = { id, driver: "opencode", authenticated: null }
      if (Result.isFailure(found)) {
        return {
          ...base,
          status: "unusable",
          reason: found.failure,
          version: null,
          supported: false,
          capabilities: none
        }
      }
      const supported = isSupported(found.success)
      return {
        ...base,
        status: supported ? "ready" : "unusable",
        ...(!supported && {
          reason: `OpenCode ${found.success} is not supported: this adapter knows 1.18 and later 1.x.`
        }),
        version: found.success,
        supported,
        capabilities
      }
    }),
    capabilities: Effect.succeed(capabilities),
    newMessageId: Effect.map(newId("msg"), (id) => MessageId.make(id)),
    decodeCursor,
    encodeCursor: (cursor) => cursor,
    probe: (cursor, about) =>
      Effect.gen(function* () {
        yield* requireStore(cursor)
        return yield* withServer(about, (upstream) => upstream.probe(cursor, about))
      }).pipe(
        Effect.catchTags({
          ProbeFailure: ({ probe }) => Effect.succeed(probe),
          ProviderUnavailable: ({ message }) => Effect.succeed(Probe.Unavailable({ cause: message })),
          ProviderTimeout: ({ message }) => Effect.succeed(Probe.Unavailable({ cause: message })),
          ProviderFailed: ({ message }) =>
            Effect.succeed(Probe.Inconclusive({ evidence: { reason: message } }))
        })
      ),
    create,
    adopt,
    relocate: { fork, copy },
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
