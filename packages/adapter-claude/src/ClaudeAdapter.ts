import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import { unknown } from "@rejoin/contracts/Fact"
import { MessageId } from "@rejoin/contracts/Ids"
import type { Capabilities } from "@rejoin/contracts/Provider"
import { agentInfo, programStamp, programVersion } from "@rejoin/agent-kit/AgentInfo"
import { newRecords } from "@rejoin/agent-kit/FileRecords"
import { newUuid } from "@rejoin/core/NewId"
import { probed, requireStore as makeRequireStore } from "@rejoin/agent-kit/Probing"
import { type Found, Probe } from "@rejoin/core/plan/Probe"
import { ProcessOwner } from "@rejoin/agent-kit/ProcessOwner"
import {
  eraseCursor,
  ProviderAdapter,
  type ProviderAdapterShape
} from "@rejoin/core/providers/ProviderAdapter"
import { markedStoreOf } from "@rejoin/agent-kit/StoreIdentity"
import { Effect, FileSystem, Layer, Option, Predicate, Result, Scope } from "effect"
import { ChildProcessSpawner } from "effect/process"
import { type ClaudeCursor, decodeCursor } from "./ClaudeCursor.ts"
import { makeExpiry } from "./ClaudeExpiry.ts"
import { holdersOf } from "./ClaudeHolders.ts"
import { type ClaudeOptions, configDirectory } from "./ClaudeOptions.ts"
import { makeOwn } from "./ClaudeOwn.ts"
import { placesBeyond } from "@rejoin/agent-kit/RepoPlaces"
import { findPowers } from "@rejoin/agent-kit/RepoPowers"
import { writeFiles } from "./ClaudeFiles.ts"
import { powers } from "./ClaudePowers.ts"
import { type ClaudeCommand, startProcess } from "./ClaudeProcess.ts"
import { Models, modelsOf } from "./ClaudeModels.ts"
import { type Live, makeStarts } from "./ClaudeStarts.ts"
import { makeTerminal } from "./ClaudeTerminal.ts"
import { isRecord, makeTranscripts } from "./ClaudeTranscripts.ts"
import { isSupported, supported } from "./ClaudeVersion.ts"

const capabilities: Capabilities = {
  runtimeModes: ["read-only", "approval-required", "auto-accept-edits", "full-access"],
  relocate: ["fork"],
  // Another mode is another process: flags that a session was not started with cannot be had later.
  reconfigure: false,
  steer: true,
  interrupt: true,
  fork: ["whole", "turn"],
  restore: true,
  compose: true,
  additionalDirectories: true,
  systemPrompt: true,
  terminal: true
}

const make = Effect.fnUntraced(function* (options: ClaudeOptions) {
  const fs = yield* FileSystem.FileSystem
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const { binary, environment, id } = options
  const config = configDirectory(environment)
  const provided = Effect.provideService(FileSystem.FileSystem, fs)
  const storeId = Effect.map(provided(markedStoreOf(config)), ({ id }) => id)
  const transcripts = makeTranscripts(fs, config)
  const expiry = makeExpiry(fs, config, transcripts)
  const live = new Map<string, Live>()

  const requireStore = makeRequireStore(fs, config)

  const owner = yield* ProcessOwner
  const terminals = yield* Effect.cached(Scope.provide(owner.scratch, yield* Effect.scope))
  const spawn = (command: ClaudeCommand) =>
    startProcess(options, command).pipe(
      Effect.provideService(ChildProcessSpawner.ChildProcessSpawner, spawner),
      Effect.provideService(ProcessOwner, owner)
    )
  const starts = makeStarts({
    options,
    spawn,
    fs,
    config,
    transcripts,
    version: Effect.map(
      Effect.suspend(() => info),
      ({ version }) => version
    ),
    expiry,
    filesFor: (start) =>
      owner.scratch.pipe(
        Effect.flatMap((scratch) => writeFiles(fs, scratch, { ...start, own: config })),
        Effect.mapError(({ message }) => new ProviderUnavailable({ provider: id, message }))
      ),
    ensureStore: fs.makeDirectory(config, { recursive: true, mode: 0o700 }).pipe(
      Effect.mapError(({ message }) => new ProviderUnavailable({ provider: id, message })),
      Effect.andThen(storeId)
    ),
    requireStore,
    register: ({ providerSessionId }, session) =>
      Effect.acquireRelease(
        Effect.sync(() => void live.set(providerSessionId, session)),
        () => Effect.sync(() => live.get(providerSessionId) === session && live.delete(providerSessionId))
      )
  })

  const probe = Effect.fn("Claude.probe")(function* (cursor: ClaudeCursor, mark: MessageId | null) {
    yield* requireStore(cursor)
    const sessionId = cursor.providerSessionId
    const running = live.get(sessionId)
    const looked = yield* Effect.result(transcripts.find(sessionId))
    // A live session is in its process, whatever can be seen of its files.
    if (Result.isFailure(looked) && running === undefined) return yield* looked.failure
    const own = Result.getOrElse(looked, () => [])
    // Before a fork is written its conversation is its source's.
    const paths = own.length > 0 || cursor.from === undefined ? own : yield* transcripts.find(cursor.from.id)
    if (paths.length > 1) return Probe.Ambiguous({ candidates: paths })
    const [path] = paths
    // A session that has heard no message yet is nowhere but in its process.
    if (path === undefined && running === undefined) {
      return Probe.NotFound({ evidence: { sessionId, transcripts: 0 } })
    }
    const transcript = path === undefined ? undefined : yield* transcripts.read(path)
    if (transcript?.isEmpty === true && mark !== null) {
      return Probe.Corrupt({ evidence: { path, reason: "the transcript holds no message" } })
    }
    const foreign = (mark === null ? [] : (transcript?.after(mark) ?? [])).filter(
      (prompt) => running?.tail.isOwn(prompt) !== true
    )
    const holders = yield* holdersOf(fs, config, sessionId)
    const others = holders.filter((pid) => pid !== running?.pid)
    // Somewhere else than where it is bound to, a start would end in its own worktree.
    const worktree = own.length > 0 ? transcript?.worktree : undefined
    const pinned =
      worktree !== undefined && (yield* Effect.orElseSucceed(fs.exists(worktree), () => false))
        ? yield* Effect.orElseSucceed(fs.realPath(worktree), () => worktree)
        : undefined
    return Probe.Found({
      // Any directory does: a resumed session works where its process is started.
      directory: unknown("not-told"),
      ...(pinned !== undefined && { pinned }),
      mode: unknown("not-told"),
      model: unknown("not-told"),
      ...(transcript?.compare(mark) ?? { history: "unknown" as const }),
      activity: running?.isWorking() === true ? "running" : "idle",
      holder: others.length > 0 ? "other" : running === undefined ? "none" : "ours",
      // The process that we have knows nothing of what another one said since: it would leave that out.
      repairs: running !== undefined && foreign.length > 0 ? ["reload"] : []
    })
  })

  /** A live session in whose transcript nobody else wrote, and on which no other process works. */
  const glance = Effect.fn("Claude.glance")(function* (
    { providerSessionId }: ClaudeCursor,
    mark: MessageId | null
  ) {
    const running = live.get(providerSessionId)
    if (running === undefined || !(yield* running.tail.isOurs(mark))) return Option.none()
    const holders = yield* holdersOf(fs, config, providerSessionId)
    if (holders.some((pid) => pid !== running.pid)) return Option.none()
    const found: Found = Probe.Found({
      directory: unknown("not-told"),
      mode: unknown("not-told"),
      model: unknown("not-told"),
      history: mark === null ? "unknown" : "same",
      ahead: 0,
      activity: running.isWorking() ? "running" : "idle",
      holder: "ours",
      repairs: []
    })
    return Option.some(found)
  })

  /** A key in the environment, or an account that Claude keeps; what it is stays unread. */
  const authenticated = Effect.gen(function* () {
    if (
      ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"].some(
        (key) => key in environment
      )
    )
      return true
    return yield* Effect.orElseSucceed(fs.exists(`${config}/.credentials.json`), () => false)
  })

  const info = agentInfo({
    id,
    driver: "claude",
    name: "Claude Code",
    program: binary,
    version: Effect.provideService(
      programVersion("Claude Code", binary, environment),
      ChildProcessSpawner.ChildProcessSpawner,
      spawner
    ),
    stamp: programStamp(fs, binary),
    isSupported,
    supported,
    authenticated,
    model: options.model ?? null,
    dataDirectory: config,
    capabilities
  })

  const adapter: ProviderAdapterShape<ClaudeCursor> = {
    id,
    driver: "claude",
    info,
    capabilities: Effect.succeed(capabilities),
    newMessageId: Effect.map(newUuid, (id) => MessageId.make(id)),
    decodeCursor,
    encodeCursor: (cursor) => cursor,
    probe: (cursor, { mark }) => probed(probe(cursor, mark)),
    glance: (cursor, { mark }) => glance(cursor, mark),
    create: starts.create,
    adopt: starts.adopt,
    relocate: { fork: starts.fork },
    transcript: ({ providerSessionId }, position, atMost) =>
      Effect.gen(function* () {
        const [path, ...more] = yield* transcripts.find(providerSessionId)
        // Before its first message it has none; of two it is not told which is meant.
        if (path === undefined || more.length > 0) return Option.none()
        const files = [path, ...(yield* transcripts.beside(path))].map((file) =>
          file.slice(config.length + 1)
        )
        return Option.some(yield* newRecords(config, files, position, atMost))
      }).pipe(
        Effect.mapError(
          (cause) =>
            new ProviderFailed({ provider: id, message: Predicate.isString(cause) ? cause : cause.message })
        )
      ),
    restore: starts.restore,
    isRecord,
    own: makeOwn(fs, id, config, storeId),
    models: Effect.gen(function* () {
      const cwd = yield* owner.scratch.pipe(
        Effect.mapError(({ message }) => new ProviderUnavailable({ provider: id, message }))
      )
      // No session of a conversation: nothing is said to it, and nothing is kept.
      const process = yield* spawn({
        args: ["--no-session-persistence", "--setting-sources", "user", "--strict-mcp-config"],
        cwd,
        extraEnv: {},
        onFrame: () => {}
      })
      return modelsOf(yield* process.control(Models, { subtype: "initialize" }))
    }).pipe(
      Effect.catchTag("StartupFailure", ({ message }) =>
        Effect.fail(new ProviderUnavailable({ provider: id, message }))
      ),
      Effect.scoped
    ),
    compose: starts.compose,
    brings: {
      find: findPowers({ fs, agent: "claude", powers, own: [config], places: placesBeyond }),
      keepsOut: () => true
    },
    terminal: makeTerminal(options, transcripts, {
      filesFor: (start) =>
        // One directory a session, as long as we live: the terminal reads it when it starts.
        Effect.gen(function* () {
          const directory = `${yield* terminals}/${start.session}`
          yield* fs.makeDirectory(directory, { recursive: true, mode: 0o700 })
          return yield* writeFiles(fs, directory, { ...start, own: config })
        }).pipe(Effect.mapError(({ message }) => new ProviderFailed({ provider: id, message })))
    }),
    expiry: {
      at: ({ providerSessionId }) => expiry.at(providerSessionId),
      renew: ({ providerSessionId }) =>
        Effect.mapError(
          expiry.renew(providerSessionId),
          ({ message }) => new ProviderFailed({ provider: id, message })
        )
    },
    quiesce: ({ providerSessionId }) => live.get(providerSessionId)?.quiesce ?? Effect.void,
    delivered: (cursor, messageId) =>
      Effect.gen(function* () {
        yield* requireStore(cursor)
        const [path, ...more] = yield* transcripts.find(cursor.providerSessionId)
        // Without a transcript nothing is known of what the process had been sent.
        if (path === undefined || more.length > 0) return "unknown" as const
        const transcript = yield* transcripts.read(path)
        return transcript.contains(messageId) ? ("arrived" as const) : ("absent" as const)
      }).pipe(Effect.orElseSucceed(() => "unknown" as const)),
    // The ids are ours: what has one of them and was never bound is of a start that came to nothing.
    undo: ({ created }) =>
      Effect.forEach(created, transcripts.find).pipe(
        Effect.flatMap((found) => Effect.forEach(found.flat(), (path) => fs.remove(path))),
        Effect.mapError(({ message }) => new ProviderFailed({ provider: id, message })),
        Effect.asVoid
      )
  }
  return eraseCursor(adapter)
})

/** Claude Code as a provider: a process a session, its transcripts and events, for one configured instance. */
export const layer = (
  options: ClaudeOptions
): Layer.Layer<
  ProviderAdapter,
  never,
  FileSystem.FileSystem | ChildProcessSpawner.ChildProcessSpawner | ProcessOwner
> => Layer.effect(ProviderAdapter, make(options))
