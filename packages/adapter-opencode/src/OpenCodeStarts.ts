import { ProviderFailed } from "@rejoin/contracts/Errors"
import { MessageId, ProviderSessionId, type StoreId } from "@rejoin/contracts/Ids"
import type { Conversation } from "@rejoin/core/conversation/Conversation"
import { newId } from "@rejoin/core/NewId"
import type { ProbeFailure } from "@rejoin/core/plan/Probe"
import type { StartRequest, TranscriptCopy } from "@rejoin/core/providers/ProviderAdapter"
import type { AdapterFailure, Environment } from "@rejoin/core/providers/ResumeCursor"
import { Effect, type FileSystem, Option, type PlatformError, Schema, type Scope } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { spawnProgram } from "@rejoin/agent-kit/Spawn"
import type { OpenCodeClient } from "./OpenCodeClient.ts"
import { composed } from "./OpenCodeCompose.ts"
import { copyOf, type Export, isExport } from "./OpenCodeCopy.ts"
import { cursorOf, type OpenCodeCursor } from "./OpenCodeCursor.ts"
import type { OpenCodeOptions } from "./OpenCodeOptions.ts"
import { instructionsOf, together } from "@rejoin/agent-kit/Instructions"
import { documentOf } from "./OpenCodeRecords.ts"
import { isPlace } from "./OpenCodePlaces.ts"
import { keptOut, memory } from "./OpenCodePowers.ts"
import { externalRulesOf, rulesOf } from "./OpenCodePermissions.ts"
import { Session } from "./OpenCodeSchema.ts"
import type { OpenCodeServer } from "./OpenCodeServer.ts"
import { connect, modelFact, modelOf } from "./OpenCodeSession.ts"
import { makeUpstream } from "./OpenCodeUpstream.ts"

const Configured = Schema.Struct({ model: Schema.optional(Schema.String) })
const Defaults = Schema.Struct({ default: Schema.Record(Schema.String, Schema.String) })

interface Needs {
  readonly options: OpenCodeOptions
  readonly acquire: (
    of: Environment,
    directory: string
  ) => Effect.Effect<OpenCodeServer, AdapterFailure, Scope.Scope>
  /** Keeps what a session is live through where the adapter finds it, for as long as it lives. */
  readonly register: (sessionID: string, client: OpenCodeClient) => Effect.Effect<void, never, Scope.Scope>
  readonly requireStore: (cursor: OpenCodeCursor) => Effect.Effect<void, AdapterFailure | ProbeFailure>
  /** Null where it is not told. */
  readonly version: Effect.Effect<string | null>
  readonly storeId: Effect.Effect<StoreId, AdapterFailure>
  readonly fs: FileSystem.FileSystem
  readonly spawner: ChildProcessSpawner.ChildProcessSpawner["Service"]
  readonly scratch: Effect.Effect<string, PlatformError.PlatformError, Scope.Scope>
}

/** The ways in which a session comes to life: created, adopted, forked, copied. Each reads back what it did. */
export const makeStarts = (needs: Needs) => {
  const { acquire, fs, options, register, requireStore, scratch, spawner, storeId, version } = needs
  const { environment, id } = options
  const external = options.url !== undefined
  const rules = external ? externalRulesOf : rulesOf

  /** A server, and its instance for the directory, for as long as the session lives. */
  const arrive = Effect.fnUntraced(function* (request: StartRequest) {
    const model = request.model ?? options.model ?? null
    if (model !== null && modelOf(model) === undefined) {
      return yield* new ProviderFailed({
        provider: id,
        message: `OpenCode knows no model ${model}: a model is named provider/model.`
      })
    }
    if (!isPlace(request.cwd)) {
      return yield* new ProviderFailed({
        provider: id,
        message: `OpenCode cannot work in a directory of this name: ${request.cwd}. It would work in another one, or tell nobody.`,
        hint: "Rename it, or use another agent there."
      })
    }
    const server = yield* acquire(request, request.cwd)
    yield* server.use(request.cwd)
    return server
  })

  /** Beside OpenCode's own: the thread's, and what the directory tells where OpenCode is kept from reading it. */
  const systemOf = ({ cwd, loads, systemPrompt }: StartRequest) =>
    external || loads !== null
      ? Effect.succeed(systemPrompt)
      : Effect.map(instructionsOf(fs, cwd, memory), (text) => together(systemPrompt, text))

  /** Applies the mode, reads everything back, and goes live. The last act of every start. */
  const finish = Effect.fnUntraced(function* (
    server: OpenCodeServer,
    sessionId: string,
    request: StartRequest,
    mark: MessageId | null
  ) {
    const upstream = makeUpstream(server.client, fs, external)
    yield* upstream.applyMode(sessionId, request.mode)
    const verified = yield* upstream.verify(sessionId, mark)
    const model = request.model ?? options.model ?? null
    yield* register(sessionId, server.client)
    const session = yield* connect({
      server,
      upstream,
      cursor: cursorOf(sessionId, yield* storeId),
      directory: request.cwd,
      mode: request.mode,
      model,
      systemPrompt: systemOf(request)
    })
    return { session, verified: { ...verified, model: modelFact(model) }, mark }
  })

  const create = Effect.fn("OpenCode.create")(function* (request: StartRequest) {
    const server = yield* arrive(request)
    const { client } = server
    const { cwd: directory, mode, title } = request
    const created = yield* client.read("create", Session, (sdk, signal) =>
      sdk.session.create({ directory, title, permission: [...rules[mode]] }, { signal })
    )
    yield* request.created(ProviderSessionId.make(created.id))
    return yield* finish(server, created.id, request, null)
  })

  const adopt = Effect.fn("OpenCode.adopt")(function* (cursor: OpenCodeCursor, request: StartRequest) {
    yield* requireStore(cursor)
    return yield* finish(yield* arrive(request), cursor.providerSessionId, request, request.mark)
  })

  const lostMessages = (found: number, wanted: number) =>
    new ProviderFailed({ provider: id, message: `OpenCode carried over ${found} of ${wanted} messages.` })

  const markIn = (renamed: ReadonlyMap<string, string>, { mark }: StartRequest) => {
    const now = mark === null ? undefined : renamed.get(mark)
    return now === undefined ? null : MessageId.make(now)
  }

  /**
   * A fork keeps its source's directory, whatever it is asked, and loses the permissions: so fork, permissions,
   * move, and then everything is read back (docs/providers/opencode.md: Another directory).
   */
  const fork = Effect.fn("OpenCode.fork")(function* (cursor: OpenCodeCursor, request: StartRequest) {
    yield* requireStore(cursor)
    const server = yield* arrive(request)
    const { client } = server
    const upstream = makeUpstream(client, fs, external)
    const { fork: point } = request
    const until = point === undefined || point === "end" ? null : point.next
    const all = yield* upstream.messages(cursor.providerSessionId)
    const end = until === null ? all.length : all.findIndex(({ info }) => info.id === until)
    if (end < 0) {
      return yield* new ProviderFailed({ provider: id, message: `OpenCode has no message ${until}.` })
    }
    const before = all.slice(0, end)
    const forked = yield* client.read("fork", Session, (sdk, signal) =>
      // It takes what came before the message that it is given.
      sdk.session.fork(
        { sessionID: cursor.providerSessionId, ...(until !== null && { messageID: until }) },
        { signal }
      )
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
    // A fork gives its messages other ids, in the same order.
    const renamed = new Map(before.map(({ info }, i) => [info.id, after[i]?.info.id ?? info.id]))
    const started = yield* finish(server, sessionID, request, markIn(renamed, request))
    return { ...started, renamed }
  })

  /** Into another project: only a copy with new ids can be written there, by the program's own import. */
  const copy = Effect.fn("OpenCode.copy")(function* (cursor: OpenCodeCursor, request: StartRequest) {
    yield* requireStore(cursor)
    const server = yield* arrive(request)
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
    const upstream = makeUpstream(client, fs, external)
    const after = yield* upstream.messages(sessionId)
    if (after.length !== document.messages.length)
      return yield* lostMessages(after.length, document.messages.length)
    const started = yield* finish(server, sessionId, request, markIn(messageIds, request))
    return { ...started, renamed: messageIds }
  })

  /**
   * By OpenCode's own import, under the ids that it had. Where one of them is still there it says success and brings nothing
   * (docs/providers/opencode.md: Another directory): then it is a copy with other ids.
   */
  const restore = Effect.fn("OpenCode.restore")(function* (
    { files, head }: TranscriptCopy,
    request: StartRequest
  ) {
    const failed = (message: string) => new ProviderFailed({ provider: id, message })
    const document = documentOf(yield* files)
    if (document === undefined) return yield* failed("Our copy of the conversation is not whole.")
    const server = yield* arrive(request)
    const { client } = server
    const upstream = makeUpstream(client, fs, external)
    const bring = Effect.fnUntraced(function* (sessionId: string, brought: Export) {
      // Its permissions are applied and read back as those of any start.
      const { permission: _, share: __, ...info } = brought.info
      yield* importInto(request, JSON.stringify({ ...brought, info: { ...info, title: request.title } }))
      const after = yield* Effect.orElseSucceed(upstream.messages(sessionId), () => [])
      return after.length
    })
    const wanted = document.messages.length
    const found = yield* Effect.option(upstream.verify(head.providerSessionId, request.mark))
    const history = Option.getOrUndefined(found)?.history
    // It is there again, and newer: that stays (W6). One that is older stays too, and a copy is made beside it.
    if (history === "same" || history === "ahead" || (history !== undefined && request.mark === null))
      return yield* finish(server, head.providerSessionId, request, request.mark)
    if (Option.isNone(found)) {
      if ((yield* bring(head.providerSessionId, document)) === wanted) {
        return yield* finish(server, head.providerSessionId, request, request.mark).pipe(
          Effect.onError(() => remove(client, head.providerSessionId))
        )
      }
      yield* remove(client, head.providerSessionId)
    }
    const copied = yield* copyOf(document)
    yield* request.created(ProviderSessionId.make(copied.sessionId))
    const brought = yield* bring(copied.sessionId, copied.document)
    if (brought !== wanted) return yield* lostMessages(brought, wanted)
    const started = yield* finish(server, copied.sessionId, request, markIn(copied.messageIds, request))
    return { ...started, renamed: copied.messageIds }
  })

  const remove = (client: OpenCodeClient, sessionID: string) =>
    Effect.ignore(client.run("delete", (sdk, signal) => sdk.session.delete({ sessionID }, { signal })))

  const importInto = Effect.fnUntraced(
    function* ({ cwd, extraEnv, loads }: StartRequest, document: string) {
      // Goes with a later life where we are killed: it holds a whole conversation.
      const file = `${yield* scratch}/import.json`
      yield* fs.writeFileString(file, document, { mode: 0o600 })
      // It takes directory and project from where it really runs.
      const command = ChildProcess.make(options.binary, ["import", file], {
        cwd,
        env: { ...environment, ...extraEnv, ...(loads === null && keptOut), PWD: cwd },
        extendEnv: false,
        stdin: "ignore",
        stdout: "ignore",
        stderr: "ignore",
        forceKillAfter: "1 second"
      })
      const spawned = spawnProgram(id, options.binary, command).pipe(
        Effect.provideService(ChildProcessSpawner.ChildProcessSpawner, spawner)
      )
      const code = yield* Effect.flatMap(spawned, (handle) => handle.exitCode)
      if (code !== 0)
        return yield* new ProviderFailed({ provider: id, message: `OpenCode's import ended with ${code}.` })
    },
    Effect.scoped,
    Effect.catchTag("PlatformError", (error) =>
      Effect.fail(new ProviderFailed({ provider: id, message: `OpenCode's import failed: ${error.message}` }))
    )
  )

  /** The model of a session that names none: with each message of a user's stands which one answered it. */
  const modelFor = Effect.fnUntraced(function* ({ client }: OpenCodeServer, { cwd, model }: StartRequest) {
    const named = modelOf(model ?? options.model ?? null)
    if (named !== undefined) return named
    const configured = yield* client.read("config", Configured, (sdk, signal) =>
      sdk.config.get({ directory: cwd }, { signal })
    )
    const own = modelOf(configured.model ?? null)
    if (own !== undefined) return own
    const { default: defaults } = yield* client.read("models", Defaults, (sdk, signal) =>
      sdk.config.providers({ directory: cwd }, { signal })
    )
    const [first] = Object.entries(defaults)
    if (first !== undefined) return { providerID: first[0], modelID: first[1] }
    return yield* new ProviderFailed({ provider: id, message: "OpenCode has no model to go on with." })
  })

  /** As a session of its own, by OpenCode's own import. */
  const compose = Effect.fn("OpenCode.compose")(function* (
    conversation: Conversation,
    request: StartRequest
  ) {
    const server = yield* arrive(request)
    const sessionId = `ses_${(yield* newId("x")).slice(2)}`
    yield* request.created(ProviderSessionId.make(sessionId))
    const { document, mark, renamed } = yield* composed(conversation, {
      sessionId,
      title: request.title,
      cwd: request.cwd,
      version: (yield* version) ?? "0.0.0",
      model: yield* modelFor(server, request)
    })
    yield* importInto(request, JSON.stringify(document))
    const upstream = makeUpstream(server.client, fs, external)
    const after = new Set((yield* upstream.messages(sessionId)).map(({ info }) => info.id))
    const there = document.messages.filter(({ info }) => after.has(String(info["id"])))
    if (there.length !== document.messages.length)
      return yield* lostMessages(there.length, document.messages.length)
    return { ...(yield* finish(server, sessionId, request, mark)), renamed }
  })

  return { create, adopt, fork, copy, restore, compose }
}
