import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import { known, unknown } from "@rejoin/contracts/Fact"
import { ProviderSessionId, type StoreId } from "@rejoin/contracts/Ids"
import { AdapterEvent } from "@rejoin/core/providers/AdapterEvent"
import { type History, Probe, ProbeFailure } from "@rejoin/core/plan/Probe"
import type { Started, StartRequest, TranscriptCopy, Verified } from "@rejoin/core/providers/ProviderAdapter"
import type { AdapterFailure } from "@rejoin/core/providers/ResumeCursor"
import { removeRecords, writeRecords } from "@rejoin/agent-kit/FileRecords"
import type { Conversation } from "@rejoin/core/conversation/Conversation"
import { newUuid } from "@rejoin/core/NewId"
import { Effect, type FileSystem, Option, Predicate, Queue, type Scope } from "effect"
import { type ClaudeCursor, cursorOf } from "./ClaudeCursor.ts"
import type { ClaudeExpiry } from "./ClaudeExpiry.ts"
import { hooks } from "./ClaudeGate.ts"
import { flagsOf, modeOf, takesCommands } from "./ClaudeModes.ts"
import { sourcesOf } from "./ClaudePowers.ts"
import type { ClaudeFiles } from "./ClaudeFiles.ts"
import type { ClaudeOptions } from "./ClaudeOptions.ts"
import type { ClaudeCommand, ClaudeProcess, StartupFailure } from "./ClaudeProcess.ts"
import { Initialized, PermissionRules } from "./ClaudeSchema.ts"
import { ClaudeListener, connect } from "./ClaudeSession.ts"
import { type ClaudeTail, makeClaudeTail, readWhole } from "./ClaudeTail.ts"
import { composed, fileOf } from "./ClaudeCompose.ts"
import { type ClaudeTranscripts, isRecord } from "./ClaudeTranscripts.ts"
import { isSupported, supported } from "./ClaudeVersion.ts"

interface Needs {
  readonly options: ClaudeOptions
  readonly spawn: (command: ClaudeCommand) => Effect.Effect<ClaudeProcess, AdapterFailure, Scope.Scope>
  readonly fs: FileSystem.FileSystem
  /** Claude's configuration directory. */
  readonly config: string
  readonly transcripts: ClaudeTranscripts
  /** Null where it is not told. */
  readonly version: Effect.Effect<string | null>
  readonly expiry: ClaudeExpiry
  /** What it is told by files, which go with the session. */
  readonly filesFor: (
    start: Pick<StartRequest, "cwd" | "loads" | "systemPrompt">
  ) => Effect.Effect<ClaudeFiles, AdapterFailure, Scope.Scope>
  /** The store, which is made where it is not there yet: a cursor to none could never be followed. */
  readonly ensureStore: Effect.Effect<StoreId, AdapterFailure>
  readonly requireStore: (cursor: ClaudeCursor) => Effect.Effect<void, ProbeFailure>
  /** Keeps the live session where the adapter finds it, for as long as it lives. */
  readonly register: (cursor: ClaudeCursor, live: Live) => Effect.Effect<void, never, Scope.Scope>
}

/** A session that is alive, as the adapter finds it again. */
export interface Live {
  readonly pid: number
  /** Also on what it began by itself. */
  readonly isWorking: () => boolean
  readonly quiesce: Effect.Effect<void, AdapterFailure>
  readonly tail: ClaudeTail
}

/** The ways in which a session comes to life: created, adopted, forked. Each reads back what it did. */
export const makeStarts = ({
  options,
  fs,
  config,
  filesFor,
  register,
  requireStore,
  spawn,
  ensureStore,
  expiry,
  transcripts,
  version
}: Needs) => {
  const { id: provider } = options

  const failed = (message: string, hint?: string) =>
    new ProviderFailed({ provider, message, ...(hint !== undefined && { hint }) })

  /** The transcripts of a session; that they cannot be looked for proves nothing of them. */
  const find = (id: string) =>
    Effect.mapError(
      transcripts.find(id),
      ({ message }) => new ProbeFailure({ probe: Probe.Inconclusive({ evidence: { reason: message } }) })
    )

  /** Claude's refusal to start, as what it says of the session. */
  const refusal = Effect.fnUntraced(function* (
    sessionId: string | undefined,
    { message, reason }: StartupFailure
  ) {
    if (reason === "bypass_root") {
      return yield* failed(
        `Claude does not start with full access for root: ${message}`,
        "In a sandbox, set IS_SANDBOX=1 in the instance's env; else run as another user or choose another mode."
      )
    }
    if (reason !== undefined || sessionId === undefined)
      return yield* failed(`Claude did not start: ${message}`)
    const files = yield* find(sessionId)
    const evidence = { sessionId, files: files.length, message }
    return yield* new ProbeFailure({
      probe: files.length === 0 ? Probe.NotFound({ evidence }) : Probe.Inconclusive({ evidence })
    })
  })

  /** Starts a process, reads back directory and mode, and goes live. Nothing has been sent when this returns. */
  const launch = Effect.fnUntraced(function* (
    cursor: ClaudeCursor,
    request: StartRequest,
    start: { readonly args: ReadonlyArray<string>; readonly source?: string; readonly history: History },
    tail: ClaudeTail
  ) {
    const { additionalDirectories, cwd, extraEnv, loads, mark, mode, systemPrompt } = request
    const model = request.model ?? options.model
    // Asked before the start, which touches the file.
    const age = start.source === undefined ? Option.none() : yield* expiry.of(start.source)
    const listener = new ClaudeListener()
    const { directories, env, prompt } = yield* filesFor({ cwd, loads, systemPrompt })
    const process: ClaudeProcess = yield* spawn({
      args: [
        ...start.args,
        ...flagsOf(mode),
        ...sourcesOf(loads),
        ...(model === undefined ? [] : ["--model", model]),
        // Kept with the session: on a resume it is passed over (docs/providers/claude.md: Resume).
        ...prompt,
        ...[...additionalDirectories, ...directories].flatMap((directory) => ["--add-dir", directory])
      ],
      cwd,
      extraEnv: { ...extraEnv, ...env },
      onFrame: listener.onFrame
    })
    const asked = Effect.all({
      initialized: process.control(Initialized, { subtype: "initialize", hooks }),
      rules: process.control(PermissionRules, { subtype: "list_permission_rules" })
    })
    const { initialized, rules } = yield* asked.pipe(
      Effect.catchTag("StartupFailure", (failure) => refusal(start.source, failure))
    )
    const version = initialized.claude_code_version
    if (!isSupported(version)) {
      const message = `Claude Code ${version} is not supported: this adapter knows ${supported}.`
      return yield* new ProviderUnavailable({ provider, message })
    }
    const live = yield* connect(
      {
        provider,
        cursor,
        directory: cwd,
        beside: additionalDirectories,
        commands: takesCommands(mode) ? (initialized.commands ?? []) : [],
        mode,
        tail
      },
      process,
      listener
    )
    yield* register(cursor, { pid: process.pid, ...live })
    if (Option.isSome(age) && age.value.unused >= age.value.days / 2) {
      const { days, unused } = age.value
      const message = `This conversation was not used for ${Math.floor(unused)} days. Claude deletes those that were not for ${days} (cleanupPeriodDays in its settings).`
      Queue.offerUnsafe(listener.events, AdapterEvent.Warning({ message }))
    }
    const verified: Verified = {
      directory: known(rules.state.originalCwd, "answer"),
      mode: known(modeOf(initialized.current_permission_mode), "answer"),
      model: model === undefined ? unknown("not-told") : unknown("not-yet"),
      history: start.history,
      evidence: { version, pid: process.pid, sessionId: cursor.providerSessionId }
    }
    const started: Started = { session: live.session, verified, mark }
    return started
  })

  const tailOf = (id: string) => makeClaudeTail(fs, transcripts, id)

  /** Our mark against the transcript; the tail goes on from where that was read to. */
  const historyOf = Effect.fnUntraced(function* (id: string, mark: StartRequest["mark"], tail?: ClaudeTail) {
    const read = yield* Effect.orElseSucceed(readWhole(fs, transcripts, id), () => undefined)
    if (read === undefined) return "unknown" as const
    const { history } = read.transcript.compare(mark)
    if (mark === null || history === "same" || history === "ahead") tail?.follow(read, mark)
    return history
  })

  const create = Effect.fn("Claude.create")(function* (request: StartRequest) {
    const id = yield* newUuid
    // The id is ours: it stands in the intent before there is a process to have it.
    yield* request.created(ProviderSessionId.make(id))
    const start = { args: ["--session-id", id], history: "unknown" } as const
    return yield* launch(cursorOf(id, yield* ensureStore), request, start, tailOf(id))
  })

  /** A fork that was never written is made again from its source, under the same id. */
  const forkOf = Effect.fnUntraced(function* (
    source: NonNullable<ClaudeCursor["from"]>,
    id: string,
    request: StartRequest
  ) {
    const { at, id: from } = source
    const start = {
      args: [
        "--resume",
        from,
        "--fork-session",
        "--session-id",
        id,
        ...(at === undefined ? [] : ["--resume-session-at", at])
      ],
      source: from,
      history: yield* historyOf(from, request.mark)
    }
    return yield* launch(cursorOf(id, yield* ensureStore, source), request, start, tailOf(id))
  })

  const adopt = Effect.fn("Claude.adopt")(function* (cursor: ClaudeCursor, request: StartRequest) {
    yield* requireStore(cursor)
    const { from, providerSessionId: id } = cursor
    const files = yield* find(id)
    if (files.length === 0 && from !== undefined) return yield* forkOf(from, id, request)
    const tail = tailOf(id)
    const history = yield* historyOf(id, request.mark, tail)
    return yield* launch(cursor, request, { args: ["--resume", id], source: id, history }, tail)
  })

  /**
   * Into another directory, or up to a turn: the id is ours again, and the copy has the new directory on every line
   * (docs/providers/claude.md: Resume). Nothing is written before its first message.
   */
  const fork = Effect.fn("Claude.fork")(function* (cursor: ClaudeCursor, request: StartRequest) {
    yield* requireStore(cursor)
    const id = yield* newUuid
    yield* request.created(ProviderSessionId.make(id))
    const files = yield* find(cursor.providerSessionId)
    const source =
      files.length === 0 && cursor.from !== undefined ? cursor.from : { id: cursor.providerSessionId }
    const [path] = yield* find(source.id)
    const transcript = path === undefined ? undefined : yield* Effect.option(transcripts.read(path))
    const read = transcript && Option.getOrUndefined(transcript)
    const point = request.fork
    if (Predicate.isObject(point) && point.next !== null) {
      const at = read?.before(point.next)
      if (at === undefined) return yield* failed("Claude's transcript does not have the turn to fork from.")
      return yield* forkOf({ id: source.id, at }, id, request)
    }
    // Where it ends now: the source may go on before the fork is written.
    const at = "at" in source ? source.at : read?.end
    return yield* forkOf({ id: source.id, ...(at !== undefined && { at }) }, id, request)
  })

  /**
   * Claude finds a session by its id alone, whatever its directory is called: what it lost is found where it was. With the
   * transcript go the records of its sub-agents and the results that were too long for it.
   */
  const restore = Effect.fn("Claude.restore")(function* (
    { files, head }: TranscriptCopy,
    request: StartRequest
  ) {
    const storeId = yield* ensureStore
    const written = yield* Effect.mapError(
      writeRecords(config, yield* files, (file) => isRecord(file, head.providerSessionId)),
      (why) => failed(`The conversation could not be restored: ${why}.`)
    )
    return yield* Effect.gen(function* () {
      const started = yield* adopt(cursorOf(head.providerSessionId, storeId), request)
      const { history } = started.verified
      // What was there by now, and is newer, stayed (W6).
      if (request.mark === null || history === "same" || history === "ahead") return started
      return yield* failed(`Our copy of the conversation does not hold what it should: ${history}.`)
    }).pipe(Effect.onError(() => removeRecords(written)))
  })

  /** As a transcript of its own, under a new id. */
  const compose = Effect.fn("Claude.compose")(function* (conversation: Conversation, request: StartRequest) {
    const storeId = yield* ensureStore
    const id = yield* newUuid
    yield* request.created(ProviderSessionId.make(id))
    const { mark, renamed, text, unfit } = yield* composed(conversation, {
      cwd: request.cwd,
      sessionId: id,
      version: yield* version
    })
    const files = new Map([[fileOf(request.cwd, id), new TextEncoder().encode(text)]])
    const written = yield* Effect.mapError(
      writeRecords(config, files, (file) => isRecord(file, id)),
      (why) => failed(`The conversation could not be written: ${why}.`)
    )
    return yield* Effect.gen(function* () {
      const started = yield* adopt(cursorOf(id, storeId), { ...request, mark })
      const read = yield* Effect.orElseSucceed(readWhole(fs, transcripts, id), () => undefined)
      const missing = [...renamed.values()].filter((uuid) => read?.transcript.contains(uuid) !== true)
      if (missing.length > 0) return yield* failed(`${missing.length} messages are not in what was written.`)
      return { ...started, renamed, leftOut: unfit === 0 ? {} : { attachment: unfit } }
    }).pipe(Effect.onError(() => removeRecords(written)))
  })

  return { create, adopt, fork, restore, compose }
}
