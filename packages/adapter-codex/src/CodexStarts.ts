import { known, unknown } from "@rejoin/contracts/Fact"
import { ProviderSessionId, type StoreId } from "@rejoin/contracts/Ids"
import { now } from "@rejoin/contracts/Time"
import type { Conversation } from "@rejoin/core/conversation/Conversation"
import { newUuid } from "@rejoin/core/NewId"
import { AdapterEvent } from "@rejoin/core/providers/AdapterEvent"
import { type History, Probe, ProbeFailure } from "@rejoin/core/plan/Probe"
import type { Started, StartRequest, TranscriptCopy, Verified } from "@rejoin/core/providers/ProviderAdapter"
import type { AdapterFailure, Environment } from "@rejoin/core/providers/ResumeCursor"
import { ProviderFailed } from "@rejoin/contracts/Errors"
import { removeRecords, writeRecords } from "@rejoin/agent-kit/FileRecords"
import { instructionsOf, together } from "@rejoin/agent-kit/Instructions"
import { placesFrom } from "@rejoin/agent-kit/RepoPlaces"
import type { Brought } from "@rejoin/contracts/Trust"
import { Effect, type FileSystem, Option, Predicate, Schema, type Scope, Stream } from "effect"
import type { Refused } from "./CodexClient.ts"
import { type CodexCursor, cursorOf } from "./CodexCursor.ts"
import { composed, fileOf } from "./CodexCompose.ts"
import { modeOf, powersOf } from "./CodexModes.ts"
import type { CodexOptions } from "./CodexOptions.ts"
import { inOneFile } from "./CodexRecords.ts"
import { type CodexConversation, type CodexRollouts, isRecord, markIn } from "./CodexRollouts.ts"
import { Configured, Opened } from "./CodexSchema.ts"
import type { CodexServer } from "./CodexServer.ts"
import { type CodexConnection, connect } from "./CodexSession.ts"
import { writerOf } from "./CodexWriters.ts"

interface Needs {
  readonly options: CodexOptions
  readonly fs: FileSystem.FileSystem
  readonly home: string
  /** What a directory brings that Codex would load. */
  readonly brings: (directory: string) => Effect.Effect<ReadonlyArray<Brought>>
  readonly rollouts: CodexRollouts
  /** Null where it is not told. */
  readonly version: Effect.Effect<string | null>
  /** A server for as long as the session lives; for a thread that the user's index has lost, one with its own. */
  readonly acquire: (
    of: Environment,
    reindex: string | null
  ) => Effect.Effect<CodexServer, AdapterFailure, Scope.Scope>
  readonly requireStore: (cursor: CodexCursor) => Effect.Effect<void, ProbeFailure>
  readonly storeId: Effect.Effect<StoreId>
  /** Keeps the live session where the adapter finds it, for as long as it lives. */
  readonly register: (cursor: CodexCursor, live: CodexConnection) => Effect.Effect<void, never, Scope.Scope>
}

/** The ways in which a thread comes to life: created, adopted, forked. Each reads back what it did. */
export const makeStarts = (needs: Needs) => {
  const { acquire, brings, fs, home, options, register, requireStore, rollouts, storeId, version } = needs

  const realPath = (path: string) => Effect.orElseSucceed(fs.realPath(path), () => path)

  const serverFor = ({ providerSessionId }: CodexCursor, request: StartRequest) =>
    acquire(request, request.repairs.includes("reindex") ? providerSessionId : null)

  /** What the answer says is in force: Codex may have ignored what it was asked (docs/providers/codex.md: Resume). */
  const verify = Effect.fnUntraced(function* (opened: Opened, request: StartRequest, history: History) {
    const { activePermissionProfile, approvalPolicy, approvalsReviewer, runtimeWorkspaceRoots, sandbox } =
      opened
    const allowed = [request.cwd, ...request.additionalDirectories]
    const roots = yield* Effect.forEach(runtimeWorkspaceRoots ?? [], realPath)
    // A root that nobody asked for is a place where it may write.
    const strange = roots.find((root) => !allowed.includes(root))
    const verified: Verified = {
      directory: known(strange ?? (yield* realPath(opened.cwd)), "answer"),
      mode: known(modeOf({ activePermissionProfile, approvalPolicy, approvalsReviewer, sandbox }), "answer"),
      model: opened.model === undefined ? unknown("not-told") : known(opened.model, "answer"),
      history,
      evidence: {
        threadId: opened.thread.id,
        cwd: opened.cwd,
        roots,
        sandbox,
        approvalPolicy,
        profile: activePermissionProfile?.id ?? null
      }
    }
    return verified
  })

  /**
   * Tools of MCP servers run outside of every sandbox, and ask nobody where the user's configuration, or the tool
   * itself, says that they need not: so none of those that are configured here is there in our threads (law 4).
   */
  const withoutServers = Effect.fnUntraced(function* ({ client }: CodexServer, { cwd, loads }: StartRequest) {
    // What is kept out is not there to be turned off: a thread with such a server is refused.
    const isThere = loads !== null || (yield* brings(cwd)).length === 0
    const { config } = yield* client.call(Configured, "config/read", {
      includeLayers: false,
      ...(isThere && { cwd })
    })
    const names = Object.keys(config.mcp_servers ?? {})
    return { mcp_servers: Object.fromEntries(names.map((name) => [name, { enabled: false }])) }
  })

  /**
   * That its user trusts a project in Codex itself loads the rules in it, by which commands run unasked. A project that
   * is not trusted is not read for what it tells either: that is told by us.
   */
  const untrusted = Effect.fnUntraced(function* ({ cwd, loads }: StartRequest) {
    if (loads !== null || (yield* brings(cwd)).length === 0) return { config: {}, instructions: undefined }
    const places = yield* placesFrom(fs, cwd)
    return {
      config: { projects: Object.fromEntries(places.map((place) => [place, { trust_level: "untrusted" }])) },
      instructions: yield* instructionsOf(fs, cwd, ["AGENTS.override.md", "AGENTS.md"])
    }
  })

  /** Where a thread works, and with which model: sent with every start, resume and fork. */
  const placeOf = Effect.fnUntraced(function* (server: CodexServer, request: StartRequest) {
    const model = request.model ?? options.model
    const { config, instructions } = yield* untrusted(request)
    const told = together(request.systemPrompt, instructions)
    return {
      config: { ...(yield* withoutServers(server, request)), ...config },
      cwd: request.cwd,
      runtimeWorkspaceRoots: [request.cwd, ...request.additionalDirectories],
      ...(model !== undefined && { model }),
      ...(told !== null && { developerInstructions: told })
    }
  })

  /** By this a thread that we made is known as ours, also where we died before we could write its id down. */
  const sourceOf = ({ title }: StartRequest) => ({ threadSource: title })

  const live = Effect.fnUntraced(function* (server: CodexServer, cursor: CodexCursor, request: StartRequest) {
    const connection = yield* connect({
      cursor,
      server,
      directory: request.cwd,
      mode: request.mode,
      model: request.model ?? options.model ?? null
    })
    yield* register(cursor, connection)
    return connection
  })

  /**
   * Opens a thread whose id Codex gives. Not to be interrupted between its answer and our hold on it: it would stay
   * loaded, and nobody would know it.
   */
  const begin = <E>(
    server: CodexServer,
    request: StartRequest,
    lineage: ReadonlyArray<ProviderSessionId>,
    open: Effect.Effect<Opened, E>
  ) =>
    Effect.uninterruptible(
      Effect.gen(function* () {
        const opened = yield* Effect.timeoutOrElse(open, {
          duration: "60 seconds",
          orElse: () => Effect.fail(server.client.failed("it did not open the thread within 60 seconds"))
        })
        const cursor = cursorOf(opened.thread.id, yield* storeId, lineage)
        const connection = yield* live(server, cursor, request)
        connection.opened()
        yield* request.created(cursor.providerSessionId)
        return { opened, connection }
      })
    )

  const create = Effect.fn("Codex.create")(function* (request: StartRequest) {
    const server = yield* acquire(request, null)
    const place = yield* placeOf(server, request)
    // Read-only first, then the mode by an update: a start that may write in a repository writes an entry of trust
    // into the user's configuration (docs/providers/codex.md: Permissions).
    const { connection, opened } = yield* begin(
      server,
      request,
      [],
      server.client.call(Opened, "thread/start", {
        ...place,
        ...powersOf("read-only"),
        ...sourceOf(request)
      })
    )
    const begun = yield* verify(opened, request, "unknown")
    if (request.mode === "read-only") {
      return { session: connection.session, verified: begun, mark: null } satisfies Started
    }
    const set = yield* connection.applySettings(request.mode, null)
    const evidence = { opened: begun.evidence, set: set.evidence }
    const verified: Verified = { ...begun, mode: set.mode, evidence }
    return { session: connection.session, verified, mark: null } satisfies Started
  })

  const conversationOf = Effect.fnUntraced(
    function* (id: string) {
      const { files } = yield* rollouts.located(id)
      const [path] = files
      return path === undefined ? Option.none<CodexConversation>() : yield* rollouts.conversation(path)
    },
    (read) => Effect.orElseSucceed(read, () => Option.none<CodexConversation>())
  )

  /** Codex says why only in words: so what is the matter is looked for anew. */
  const refusal = Effect.fnUntraced(function* (server: CodexServer, id: string, refused: Refused) {
    const writer = yield* writerOf(fs, home, id)
    if (Predicate.isNumber(writer) && writer !== server.pid) {
      return yield* new ProbeFailure({
        probe: Probe.Found({
          directory: unknown("not-told"),
          mode: unknown("not-told"),
          model: unknown("not-told"),
          history: "unknown",
          activity: "idle",
          holder: "other",
          repairs: []
        })
      })
    }
    const evidence = { code: refused.code, method: refused.method, message: refused.message }
    return yield* new ProbeFailure({ probe: Probe.Inconclusive({ evidence }) })
  })

  /** Records that cannot be read are not in what the model sees, and Codex does not say so. */
  const warnOf = (conversation: Option.Option<CodexConversation>, { session, ...rest }: Started): Started => {
    const unreadable = Option.getOrUndefined(conversation)?.rollout.unreadable ?? 0
    if (unreadable === 0) return { session, ...rest }
    const message = `${unreadable} records of this conversation cannot be read: the model does not see them.`
    const events = Stream.concat(Stream.make(AdapterEvent.Warning({ message })), session.events)
    return { session: { ...session, events }, ...rest }
  }

  const adopt = Effect.fn("Codex.adopt")(function* (cursor: CodexCursor, request: StartRequest) {
    yield* requireStore(cursor)
    const threadId = cursor.providerSessionId
    const server = yield* serverFor(cursor, request)
    const { client } = server
    if (request.repairs.includes("unarchive")) {
      yield* client.call(Schema.Unknown, "thread/unarchive", { threadId })
    }
    const place = yield* placeOf(server, request)
    const connection = yield* live(server, cursor, request)
    yield* connection.prepare
    const opened = yield* client
      .ask(Opened, "thread/resume", {
        threadId,
        ...place,
        ...powersOf(request.mode),
        excludeTurns: true
      })
      .pipe(Effect.catchTag("Refused", (refused) => refusal(server, threadId, refused)))
    if (opened.thread.id !== threadId) {
      return yield* client.failed(`it resumed ${opened.thread.id} instead of ${threadId}`)
    }
    connection.opened()
    const conversation = yield* conversationOf(threadId)
    const { history } = markIn(conversation, request.mark)
    const verified = yield* verify(opened, request, history)
    return warnOf(conversation, { session: connection.session, verified, mark: request.mark })
  })

  const fork = Effect.fn("Codex.fork")(function* (cursor: CodexCursor, request: StartRequest) {
    yield* requireStore(cursor)
    const source = cursor.providerSessionId
    const server = yield* serverFor(cursor, request)
    const place = yield* placeOf(server, request)
    const before = yield* conversationOf(source)
    const point = request.fork
    const last = Predicate.isObject(point) ? point.last : undefined
    const lastTurnId = Option.getOrUndefined(before)?.messages.findLast(
      ({ clientId }) => clientId === last
    )?.turnId
    if (last !== undefined && lastTurnId === undefined) {
      return yield* server.client.failed("its record does not have the turn to fork from")
    }
    const { connection, opened } = yield* begin(
      server,
      request,
      [source, ...cursor.lineage],
      server.client
        .ask(Opened, "thread/fork", {
          threadId: source,
          ...place,
          ...powersOf(request.mode),
          ...sourceOf(request),
          excludeTurns: true,
          ...(lastTurnId !== undefined && { lastTurnId })
        })
        .pipe(Effect.catchTag("Refused", (refused) => refusal(server, source, refused)))
    )
    const id = opened.thread.id
    if (id === source || opened.thread.forkedFromId !== source) {
      return yield* server.client.failed(
        `it forked ${String(opened.thread.forkedFromId)} instead of ${source}`
      )
    }
    const conversation = yield* conversationOf(id)
    const { history } = markIn(conversation, request.mark)
    const verified = yield* verify(opened, request, history)
    return warnOf(conversation, { session: connection.session, verified, mark: request.mark })
  })

  /**
   * Its own file and its parents', where they were. Codex finds it by them: an index of its own is made of them, as a
   * server that was there before has one of a home that is gone.
   */
  const restore = Effect.fn("Codex.restore")(function* (
    { files, head }: TranscriptCopy,
    request: StartRequest
  ) {
    const failed = (message: string) => new ProviderFailed({ provider: options.id, message })
    const whole = inOneFile(yield* files, head.providerSessionId)
    const written = yield* Effect.mapError(writeRecords(home, whole, isRecord), (why) =>
      failed(`The conversation could not be restored: ${why}.`)
    )
    return yield* Effect.gen(function* () {
      const cursor = cursorOf(head.providerSessionId, yield* storeId, [])
      const started = yield* adopt(cursor, { ...request, repairs: ["reindex"] })
      const { history } = started.verified
      // What was there by now, and is newer, stayed (W6).
      if (request.mark === null || history === "same" || history === "ahead") return started
      return yield* failed(`Our copy of the conversation does not hold what it should: ${history}.`)
    }).pipe(Effect.onError(() => removeRecords(written)))
  })

  /** As a rollout of its own, under a new id. */
  const compose = Effect.fn("Codex.compose")(function* (conversation: Conversation, request: StartRequest) {
    const failed = (message: string) => new ProviderFailed({ provider: options.id, message })
    const id = yield* newUuid
    const at = yield* now
    yield* request.created(ProviderSessionId.make(id))
    const { mark, renamed, text, unfit } = yield* composed(conversation, {
      id,
      cwd: request.cwd,
      version: yield* version,
      source: request.title,
      at
    })
    const files = new Map([[fileOf(id, at), new TextEncoder().encode(text)]])
    const written = yield* Effect.mapError(writeRecords(home, files, isRecord), (why) =>
      failed(`The conversation could not be written: ${why}.`)
    )
    return yield* Effect.gen(function* () {
      const started = yield* adopt(cursorOf(id, yield* storeId, []), {
        ...request,
        mark,
        repairs: ["reindex"]
      })
      const read = Option.getOrUndefined(yield* conversationOf(id))
      const there = new Set(read?.messages.map(({ clientId }) => clientId))
      const missing = [...renamed.values()].filter((clientId) => !there.has(clientId))
      if (missing.length > 0) return yield* failed(`${missing.length} messages are not in what was written.`)
      return { ...started, renamed, leftOut: unfit === 0 ? {} : { attachment: unfit } }
    }).pipe(Effect.onError(() => removeRecords(written)))
  })

  return { create, adopt, fork, restore, compose }
}
