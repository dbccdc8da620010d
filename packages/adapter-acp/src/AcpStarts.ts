import { instructionsOf, together } from "@rejoin/agent-kit/Instructions"
import { removeRecords, writeRecords } from "@rejoin/agent-kit/FileRecords"
import { ProcessOwner } from "@rejoin/agent-kit/ProcessOwner"
import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import { type Fact, known, unknown } from "@rejoin/contracts/Fact"
import { ProviderSessionId, type StoreId } from "@rejoin/contracts/Ids"
import { newUuid } from "@rejoin/core/NewId"
import { type History, type ModeFound, Probe, ProbeFailure } from "@rejoin/core/plan/Probe"
import type { Started, StartRequest, TranscriptCopy } from "@rejoin/core/providers/ProviderAdapter"
import type { AdapterFailure } from "@rejoin/core/providers/ResumeCursor"
import { Clock, Effect, type FileSystem, Option, Schedule, Schema, type Scope } from "effect"
import { dirname, join } from "node:path"
import { type AcpConnection, connect, type Refused } from "./AcpConnection.ts"
import { type AcpCursor, cursorOf, isSessionId, Last } from "./AcpCursor.ts"
import { compare } from "./AcpHistory.ts"
import type { AcpOptions } from "./AcpOptions.ts"
import type { AcpProfile, Powers, Setting } from "./AcpProfile.ts"
import { Opened, type Update } from "./AcpSchema.ts"
import { AcpListener, type AcpLive, openSession } from "./AcpSession.ts"
import type { AcpStore } from "./AcpStore.ts"

interface Needs {
  readonly options: AcpOptions
  readonly fs: FileSystem.FileSystem
  /** Which agent it is; fails where it cannot be started, or is of a version that is not known. */
  readonly profile: Effect.Effect<AcpProfile, AdapterFailure, ProcessOwner>
  readonly storeOf: (profile: AcpProfile) => AcpStore | undefined
  readonly ensureStore: (profile: AcpProfile) => Effect.Effect<StoreId>
  readonly requireStore: (cursor: AcpCursor) => Effect.Effect<void, ProbeFailure>
  readonly register: (
    id: string,
    live: AcpLive & { readonly pid: number }
  ) => Effect.Effect<void, never, Scope.Scope>
}

const decodeOpened = Schema.decodeUnknownOption(Opened)
const decodeKept = Schema.decodeUnknownOption(Schema.Struct({ last: Schema.NullOr(Last) }))

/** The code of the protocol for who is not known to it. */
const loginRequired = -32000

/** What is in force, as far as the agent tells it. */
class State {
  readonly options = new Map<string, string>()
  mode: string | undefined

  take({ configOptions, modes }: Opened): void {
    for (const { currentValue, id } of configOptions ?? []) this.options.set(id, String(currentValue))
    if (modes != null) this.mode = modes.currentModeId
  }

  holds({ by, value, ...rest }: Setting): boolean {
    return by === "mode" ? this.mode === value : this.options.get("id" in rest ? rest.id : "") === value
  }
}

/** The ways in which a session comes to life, in a process of its own. Each reads back what it did. */
export const makeStarts = ({
  ensureStore,
  fs,
  options,
  profile: identity,
  register,
  requireStore,
  storeOf
}: Needs) => {
  const { id: provider } = options
  const failed = (message: string, hint?: string) =>
    new ProviderFailed({ provider, message, ...(hint !== undefined && { hint }) })

  const powersFor = (profile: AcpProfile, request: StartRequest) => {
    const powers = profile.modes[request.mode]
    return powers === undefined
      ? Effect.fail(failed(`${profile.title} cannot hold the mode ${request.mode}.`))
      : Effect.succeed(powers)
  }

  /** The agent with just the powers that are wanted, and what its files are to say. */
  const launch = Effect.fnUntraced(function* (profile: AcpProfile, powers: Powers, request: StartRequest) {
    const owner = yield* ProcessOwner
    const scratch = yield* Effect.mapError(
      owner.scratch,
      ({ message }) => new ProviderUnavailable({ provider, message })
    )
    const files = join(scratch, "told")
    const model = request.model ?? options.model
    // Where the directory's own configuration is kept out, what it tells its agents in words is told by us.
    const words = profile.systemPrompt && (yield* instructionsOf(fs, request.cwd, ["AGENTS.md"]))
    const prompt = together(request.systemPrompt, words)
    const told = prompt === null ? undefined : profile.systemPrompt?.(prompt)
    for (const [name, text] of Object.entries({ ...powers.files, ...told?.files })) {
      yield* fs.makeDirectory(dirname(join(files, name)), { recursive: true, mode: 0o700 }).pipe(
        Effect.andThen(fs.writeFileString(join(files, name), text, { mode: 0o600 })),
        Effect.mapError(({ message }) => new ProviderUnavailable({ provider, message }))
      )
    }
    const filled = (text: string) => text.replaceAll("{files}", files)
    const environment = Object.fromEntries(
      Object.entries({
        ...options.environment,
        ...request.extraEnv,
        ...profile.env,
        ...powers.env,
        ...told?.env
      })
        .filter(([name]) => profile.without?.includes(name) !== true)
        .map(([name, value]) => [name, filled(value)])
    )
    yield* storeOf(profile)?.tidy?.(request.cwd) ?? Effect.void
    const listener = new AcpListener()
    const connection = yield* connect(
      {
        provider,
        command: [
          ...options.command,
          ...[...(powers.args ?? []), ...(told?.args ?? [])].map(filled),
          ...(model === undefined ? [] : (profile.model?.args(model) ?? []))
        ] as unknown as AcpOptions["command"],
        environment,
        cwd: options.directory
      },
      listener
    )
    // Under our feet another version may have taken its place since it was asked.
    const { name = profile.name, version = "" } = connection.initialized.agentInfo ?? {}
    if (name !== profile.name || (version !== "" && !profile.isSupported(version)))
      return yield* failed(`${profile.title} is ${name} ${version} by now, of which nothing is known.`)
    return { connection, listener }
  })

  /** Sets what the mode asks for, and compares it with what the agent says is set. */
  const setUp = Effect.fnUntraced(function* (
    profile: AcpProfile,
    powers: Powers,
    connection: AcpConnection,
    listener: AcpListener,
    sessionId: string,
    state: State
  ) {
    listener.early = (update) => {
      if (update.sessionUpdate === "current_mode_update") state.mode = update.currentModeId
      if (update.sessionUpdate === "config_option_update") state.take({ configOptions: update.configOptions })
      if (update.sessionUpdate === "agent_message_chunk" && "text" in update.content)
        state.mode = profile.announced?.(update.content.text) ?? state.mode
    }
    for (const setting of powers.set) {
      if (state.holds(setting)) continue
      const answer =
        setting.by === "mode"
          ? yield* connection.call(Opened, "session/set_mode", { sessionId, modeId: setting.value })
          : yield* connection.call(Opened, "session/set_config_option", {
              sessionId,
              configId: setting.id,
              value: setting.value
            })
      state.take(answer)
    }
    listener.early = () => undefined
  })

  const modeFound = (powers: Powers, state: State, mode: StartRequest["mode"]): Fact<ModeFound> => {
    // Of an agent that was not measured nothing is asked, and nothing is told.
    if (powers.set.length === 0) return unknown("not-told")
    return known(powers.set.every((setting) => state.holds(setting)) ? mode : "other", "answer")
  }

  const goLive = Effect.fnUntraced(function* (of: {
    readonly profile: AcpProfile
    readonly powers: Powers
    readonly connection: AcpConnection
    readonly listener: AcpListener
    readonly state: State
    readonly cursor: AcpCursor
    readonly request: StartRequest
    readonly history: History
  }) {
    const { connection, cursor, history, listener, powers, profile, request, state } = of
    const { providerSessionId: id } = cursor
    yield* setUp(profile, powers, connection, listener, id, state)
    const live = yield* openSession({
      provider,
      profile,
      powers,
      connection,
      listener,
      cursor,
      directory: request.cwd,
      store: storeOf(profile),
      takesImages: connection.initialized.agentCapabilities?.promptCapabilities?.image === true
    })
    yield* register(id, { ...live, pid: connection.pid })
    const { agentInfo } = connection.initialized
    const started: Started = {
      session: live.session,
      mark: request.mark,
      verified: {
        // Told by its record with the first message, where it has one, and by its tools.
        directory: unknown(storeOf(profile) === undefined ? "not-told" : "not-yet"),
        mode: modeFound(powers, state, request.mode),
        model: unknown("not-told"),
        history,
        evidence: { sessionId: id, agent: agentInfo?.name ?? null, version: agentInfo?.version ?? null }
      }
    }
    return started
  })

  const create = Effect.fn("Acp.create")(function* (request: StartRequest) {
    const profile = yield* identity
    const powers = yield* powersFor(profile, request)
    const { connection, listener } = yield* launch(profile, powers, request)
    const own = profile.ownId === undefined ? undefined : yield* newUuid
    // Ours stands in the intent before there is a session to have it.
    if (own !== undefined) yield* request.created(ProviderSessionId.make(own))
    const answer = yield* connection
      .ask("session/new", {
        cwd: request.cwd,
        mcpServers: [],
        ...(own !== undefined && { _meta: { [profile.ownId ?? ""]: own } })
      })
      .pipe(
        Effect.catchTag("Refused", ({ code, message }) =>
          code === loginRequired
            ? failed(
                `${profile.title} has no account here: ${message.replace(/\.+$/, "")}.`,
                "Log in with its own command, or give the instance a key in its env."
              )
            : connection.failed(`session/new: ${message}`, { code })
        )
      )
    const opened = Option.getOrElse(decodeOpened(answer), (): Opened => ({}))
    const id = opened.sessionId ?? ""
    if (!isSessionId(id))
      return yield* failed(`${profile.title} gave the session an id by which it could not be found again.`)
    if (own !== undefined && id !== own)
      return yield* failed(`${profile.title} gave the session the id ${id}, and not ${own}.`)
    if (own === undefined) yield* request.created(ProviderSessionId.make(id))
    const state = new State()
    state.take(opened)
    const cursor = cursorOf({
      id,
      agent: profile.name,
      storeId: yield* ensureStore(profile),
      cwd: request.cwd,
      last: null
    })
    return yield* goLive({
      profile,
      powers,
      connection,
      listener,
      state,
      cursor,
      request,
      history: "unknown"
    })
  })

  /** An agent's no to a session that is there by its record, or may be: it proves nothing that creates. */
  const refusal = (profile: AcpProfile, cursor: AcpCursor, { code, data, message }: Refused) => {
    if (code === profile.heldCode) {
      return new ProbeFailure({
        probe: Probe.Found({
          directory: known(cursor.cwd, "store"),
          mode: unknown("not-told"),
          model: unknown("not-told"),
          history: "unknown",
          activity: "idle",
          holder: "other",
          repairs: []
        })
      })
    }
    const evidence = { sessionId: cursor.providerSessionId, code, message, data: data ?? null }
    return new ProbeFailure({ probe: Probe.Inconclusive({ evidence }) })
  }

  const adopt = Effect.fn("Acp.adopt")(function* (cursor: AcpCursor, request: StartRequest) {
    yield* requireStore(cursor)
    const profile = yield* identity
    if (profile.name !== cursor.agent)
      return yield* failed(
        `The conversation is ${cursor.agent}'s, and ${profile.title} is what this provider runs now.`
      )
    const { providerSessionId: sessionId } = cursor
    const powers = yield* powersFor(profile, request)
    const store = storeOf(profile)
    const safe = yield* store?.loadNotBefore?.(sessionId, cursor.cwd) ?? Effect.succeed(0)
    const wait = safe - (yield* Clock.currentTimeMillis)
    if (wait > 0) yield* Effect.sleep(Math.min(wait, 65_000))
    const { connection, listener } = yield* launch(profile, powers, request)
    const replayed: Array<string> = []
    let speaksUser = false
    let heard = yield* Clock.currentTimeMillis
    const clock = yield* Clock.Clock
    listener.early = (update: Update) => {
      heard = clock.currentTimeMillisUnsafe()
      if (update.sessionUpdate === "user_message_chunk" && "text" in update.content) {
        const { text } = update.content
        // One may come in pieces.
        if (speaksUser) replayed.push(`${replayed.pop() ?? ""}${text}`)
        else replayed.push(text)
        speaksUser = true
      } else speaksUser = false
    }
    const method = profile.open === "resume" ? "session/resume" : "session/load"
    const answer = yield* connection.ask(method, { sessionId, cwd: request.cwd, mcpServers: [] }).pipe(
      // The process that had it last may still be letting go of it.
      Effect.retry({
        while: (error) => error._tag === "Refused" && error.code === profile.heldCode,
        schedule: Schedule.spaced("200 millis"),
        times: 15
      }),
      Effect.catchTag("Refused", (refused) => refusal(profile, cursor, refused))
    )
    // What still comes belongs to the replay, until it is quiet.
    const { quiet } = profile
    if (quiet !== undefined) {
      heard = yield* Clock.currentTimeMillis
      yield* Effect.sleep("50 millis").pipe(
        Effect.andThen(Clock.currentTimeMillis),
        Effect.repeat({ until: (now) => now - heard >= quiet })
      )
    }
    yield* store?.tidy?.(request.cwd) ?? Effect.void
    const opened = Option.getOrElse(decodeOpened(answer), (): Opened => ({}))
    const state = new State()
    state.take(opened)
    const record =
      store === undefined
        ? Option.none()
        : yield* Effect.mapError(store.read(sessionId, cursor.cwd), ({ message }) => failed(message))
    const history = compare(cursor, request.mark, Option.getOrUndefined(record), replayed)
    const moved = { ...cursor, cwd: profile.moves === true ? request.cwd : cursor.cwd }
    return yield* goLive({
      profile,
      powers,
      connection,
      listener,
      state,
      cursor: moved,
      request,
      history: history.history
    })
  })

  /** Its own files where they were; then as ever. */
  const restore = Effect.fn("Acp.restore")(function* (copy: TranscriptCopy, request: StartRequest) {
    const profile = yield* identity
    const store = storeOf(profile)
    const { head } = copy
    const { cwd } = head
    if (store === undefined || cwd === null) return yield* failed("It keeps no record that is known.")
    const storeId = yield* ensureStore(profile)
    const written = yield* Effect.mapError(
      writeRecords(store.root, yield* copy.files, (file) => store.isRecord(file, head.providerSessionId)),
      (why) => failed(`The conversation could not be restored: ${why}.`)
    )
    return yield* Effect.gen(function* () {
      const cursor = cursorOf({
        id: head.providerSessionId,
        agent: profile.name,
        storeId,
        cwd,
        // Which of its messages our mark is, was kept with the copy.
        last: Option.getOrUndefined(decodeKept(head.position))?.last ?? null
      })
      const started = yield* adopt(cursor, request)
      const { history } = started.verified
      if (request.mark === null || history === "same" || history === "ahead") return started
      return yield* failed(`Our copy of the conversation does not hold what it should: ${history}.`)
    }).pipe(Effect.onError(() => removeRecords(written)))
  })

  return { create, adopt, restore }
}
