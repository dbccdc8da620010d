import { programStamp } from "@rejoin/agent-kit/AgentInfo"
import { newRecords } from "@rejoin/agent-kit/FileRecords"
import { probed, requireStore as makeRequireStore } from "@rejoin/agent-kit/Probing"
import { ProcessOwner } from "@rejoin/agent-kit/ProcessOwner"
import { untilIdle } from "@rejoin/agent-kit/SessionEnd"
import { markedStoreOf, placeOf } from "@rejoin/agent-kit/StoreIdentity"
import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import { known, unknown } from "@rejoin/contracts/Fact"
import { MessageId } from "@rejoin/contracts/Ids"
import { type Capabilities, noCapabilities, type ProviderInfo } from "@rejoin/contracts/Provider"
import { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { newId } from "@rejoin/core/NewId"
import { Probe } from "@rejoin/core/plan/Probe"
import {
  eraseCursor,
  ProviderAdapter,
  type ProviderAdapterShape
} from "@rejoin/core/providers/ProviderAdapter"
import type { AdapterFailure } from "@rejoin/core/providers/ResumeCursor"
import { Context, Effect, FileSystem, Layer, Option, Predicate, Result } from "effect"
import { ChildProcessSpawner } from "effect/process"
import { connect } from "./AcpConnection.ts"
import { type AcpCursor, decodeCursor } from "./AcpCursor.ts"
import { compare } from "./AcpHistory.ts"
import type { AcpOptions } from "./AcpOptions.ts"
import type { AcpProfile } from "./AcpProfile.ts"
import { AcpListener, type AcpLive } from "./AcpSession.ts"
import { makeStarts } from "./AcpStarts.ts"
import type { AcpStore } from "./AcpStore.ts"
import { everyEnvironment, measured, profileOf } from "./profiles/Profiles.ts"

interface Identity {
  readonly profile: AcpProfile
  readonly version: string
}

const capabilitiesOf = ({ modes, moves, store, systemPrompt }: AcpProfile): Capabilities => ({
  runtimeModes: RuntimeMode.literals.filter((mode) => modes[mode] !== undefined),
  relocate: moves === true ? ["move"] : [],
  reconfigure: false,
  steer: false,
  interrupt: true,
  fork: [],
  restore: store !== undefined,
  compose: false,
  additionalDirectories: false,
  systemPrompt: systemPrompt !== undefined,
  terminal: false
})

const make = Effect.fnUntraced(function* (options: AcpOptions) {
  const fs = yield* FileSystem.FileSystem
  // Just these: what is started belongs to the scope of its session, and not to that of this adapter.
  const services = Context.pick(
    FileSystem.FileSystem,
    ChildProcessSpawner.ChildProcessSpawner,
    ProcessOwner
  )(yield* Effect.context<FileSystem.FileSystem | ChildProcessSpawner.ChildProcessSpawner | ProcessOwner>())
  const { command, environment, id } = options
  const home = environment["HOME"] ?? "/"
  const provided = Effect.provideService(FileSystem.FileSystem, fs)
  const live = new Map<string, AcpLive & { readonly pid: number }>()

  const stores = new Map<string, AcpStore | undefined>()
  /** One a profile: what was read of a record is remembered. */
  const storeOf = (profile: AcpProfile): AcpStore | undefined => {
    if (!stores.has(profile.name)) stores.set(profile.name, profile.store?.(fs, environment))
    return stores.get(profile.name)
  }
  /** Of an agent whose records are not known, its user's home stands for where they are. */
  const rootOf = (profile: AcpProfile) => storeOf(profile)?.root ?? home
  const ensureStore = (profile: AcpProfile) =>
    provided(
      Effect.andThen(
        placeOf(rootOf(profile)),
        Effect.map(markedStoreOf(rootOf(profile)), (store) => store.id)
      )
    )
  const requireStore = (cursor: AcpCursor) => makeRequireStore(fs, rootOf(profileOf(cursor.agent)))(cursor)

  let identified: (Identity & { readonly stamp: string }) | undefined
  /** Asked once a program: it says itself who it is. */
  const identify = Effect.gen(function* () {
    const stamps = yield* Effect.forEach(command, (part) =>
      part.startsWith("/") ? programStamp(fs, part) : Effect.succeed(part)
    )
    const stamp = stamps.join(" ")
    if (identified?.stamp === stamp) return identified
    yield* placeOf(options.directory)
    const { initialized } = yield* connect(
      { provider: id, command, environment: { ...environment, ...everyEnvironment }, cwd: options.directory },
      new AcpListener()
    )
    const { name = "an agent", version = "0.0.0" } = initialized.agentInfo ?? {}
    identified = { profile: profileOf(name), version, stamp }
    return identified
  }).pipe(
    Effect.scoped,
    Effect.timeoutOrElse({
      duration: "45 seconds",
      orElse: () =>
        Effect.fail(
          new ProviderUnavailable({ provider: id, message: `${command[0]} did not say who it is.` })
        )
    }),
    Effect.provideContext(services)
  )
  const profile: Effect.Effect<AcpProfile, AdapterFailure> = Effect.flatMap(
    identify,
    ({ profile, version }) =>
      profile.isSupported(version)
        ? Effect.succeed(profile)
        : Effect.fail(
            new ProviderUnavailable({
              provider: id,
              message: `${profile.title} ${version} is not supported: this adapter knows ${profile.supported}.`
            })
          )
  )

  const info = Effect.map(Effect.result(identify), (told): ProviderInfo => {
    const base = {
      id,
      driver: "acp",
      program: command.join(" "),
      model: options.model ?? null,
      authenticated: null
    }
    if (Result.isFailure(told)) {
      return {
        ...base,
        status: "unusable",
        reason: told.failure.message,
        version: null,
        supported: false,
        dataDirectory: null,
        capabilities: noCapabilities
      }
    }
    const { profile, version } = told.success
    const supported = profile.isSupported(version)
    return {
      ...base,
      version,
      supported,
      status: supported ? "ready" : "unusable",
      ...(!supported && {
        reason: `${profile.title} ${version} is not supported: this adapter knows ${profile.supported}.`
      }),
      dataDirectory: storeOf(profile)?.root ?? null,
      capabilities: supported ? capabilitiesOf(profile) : noCapabilities
    }
  })

  const starts = makeStarts({
    options,
    fs,
    profile,
    storeOf,
    ensureStore,
    requireStore,
    register: (sessionId, connection) =>
      Effect.acquireRelease(
        Effect.sync(() => void live.set(sessionId, connection)),
        () => Effect.sync(() => live.get(sessionId) === connection && live.delete(sessionId))
      )
  })

  const readOf = (cursor: AcpCursor) =>
    Effect.suspend(() => {
      const store = storeOf(profileOf(cursor.agent))
      return store === undefined
        ? Effect.succeedNone
        : Effect.asSome(store.read(cursor.providerSessionId, cursor.cwd))
    })

  const probe = Effect.fn("Acp.probe")(function* (cursor: AcpCursor, mark: MessageId | null) {
    yield* requireStore(cursor)
    const { cwd, providerSessionId: sessionId } = cursor
    const connection = live.get(sessionId)
    const store = storeOf(profileOf(cursor.agent))
    const read = yield* Effect.result(readOf(cursor))
    const evidence = { sessionId, agent: cursor.agent, cwd, root: store?.root ?? null }
    if (Result.isFailure(read))
      return Probe.Corrupt({ evidence: { ...evidence, reason: read.failure.message } })
    const record = Option.getOrUndefined(read.success)
    // Looked for where it is kept, in its own directory; before anything was said, some write nothing down.
    if (record !== undefined && Option.isNone(record) && connection === undefined)
      return Probe.NotFound({ evidence })
    const emptied = record === undefined ? undefined : Option.getOrUndefined(record)?.emptied
    // There is no conversation that could be gone on with, and none is lost.
    if (emptied === "interrupted" && connection === undefined)
      return Probe.NotFound({ evidence: { ...evidence, emptied } })
    const found = record === undefined ? undefined : Option.getOrUndefined(record)
    const holder = yield* store?.holder?.(sessionId) ?? Effect.succeed(undefined)
    const ours = connection !== undefined
    const compared = compare(cursor, mark, found, undefined)
    return Probe.Found({
      directory: found?.cwd === undefined ? unknown("not-told") : known(found.cwd, "store"),
      mode: unknown("not-told"),
      model: unknown("not-told"),
      ...compared,
      activity: connection?.isPrompting() === true ? "running" : "idle",
      holder: ours
        ? "ours"
        : holder === undefined
          ? store?.holder === undefined
            ? "unknown"
            : "none"
          : "other",
      // Its process has read the record when it was opened: what another one wrote there since, it does not know.
      repairs: ours && compared.history === "ahead" ? ["reload"] : []
    })
  })

  const failed = (message: string) => new ProviderFailed({ provider: id, message })

  const adapter: ProviderAdapterShape<AcpCursor> = {
    id,
    driver: "acp",
    info,
    capabilities: Effect.map(profile, capabilitiesOf),
    newMessageId: Effect.map(newId("msg"), (id) => MessageId.make(id)),
    decodeCursor,
    encodeCursor: (cursor) => cursor,
    brings: {
      // Before it is known who it is, nothing is started there either.
      find: (directory) =>
        Effect.flatMap(
          Effect.option(profile),
          (of) => Option.getOrUndefined(of)?.brings?.(fs, environment)(directory) ?? Effect.succeed([])
        ),
      keepsOut: () => false
    },
    probe: (cursor, { mark }) => probed(probe(cursor, mark)),
    create: (request) => Effect.provideContext(starts.create(request), services),
    adopt: (cursor, request) => Effect.provideContext(starts.adopt(cursor, request), services),
    // Where the agent can: an opening in another directory carries the session there.
    relocate: { move: (cursor, request) => Effect.provideContext(starts.adopt(cursor, request), services) },
    transcript: (cursor, position, atMost) =>
      Effect.gen(function* () {
        const store = storeOf(profileOf(cursor.agent))
        if (store === undefined) return Option.none()
        const files = yield* Effect.mapError(
          store.files(cursor.providerSessionId, cursor.cwd),
          ({ message }) => message
        )
        const there: Array<string> = []
        for (const file of files)
          if (yield* Effect.orElseSucceed(fs.exists(`${store.root}/${file}`), () => false)) there.push(file)
        if (there.length === 0) return Option.none()
        const before = Predicate.hasProperty(position, "records") ? position.records : undefined
        const { anew, pieces, position: records } = yield* newRecords(store.root, there, before, atMost)
        // Which of its messages our mark is, is told by nothing in it.
        return Option.some({ anew, pieces, position: { records, last: cursor.last } })
      }).pipe(Effect.mapError(failed)),
    restore: (copy, request) => Effect.provideContext(starts.restore(copy, request), services),
    // Of whichever agent this is: it may not have been asked yet.
    isRecord: (file, sessionId) =>
      measured.some((profile) => storeOf(profile)?.isRecord(file, sessionId) === true),
    quiesce: ({ providerSessionId }) =>
      Effect.gen(function* () {
        const connection = live.get(providerSessionId)
        if (connection === undefined) return
        yield* connection.interrupt
        yield* untilIdle(connection.isPrompting)
      }),
    delivered: (cursor, messageId) =>
      Effect.gen(function* () {
        yield* requireStore(cursor)
        const store = storeOf(profileOf(cursor.agent))
        const read = Option.flatten(yield* readOf(cursor))
        if (store === undefined || Option.isNone(read)) return "unknown" as const
        const { messages } = read.value
        const at = messages.findLastIndex(({ id }) => id === cursor.last?.recordId)
        if (cursor.last?.messageId === messageId) return at < 0 ? ("unknown" as const) : ("arrived" as const)
        // Nobody else writes there: what came after the last one that was read back is the one that was not.
        if (messages.length > at + 1) return "arrived" as const
        return store.prompt ? ("absent" as const) : ("unknown" as const)
      }).pipe(Effect.orElseSucceed(() => "unknown" as const)),
    keeps: (cursor, messageId) =>
      Effect.gen(function* () {
        const read = Option.flatten(yield* readOf(cursor))
        if (Option.isNone(read) || cursor.last?.messageId !== messageId) return true
        const { messages } = read.value
        return messages.find(({ id }) => id === cursor.last?.recordId)?.dropped !== true
      }).pipe(Effect.orElseSucceed(() => true)),
    undo: ({ created, cwd, keep }) =>
      Effect.gen(function* () {
        const of = Option.getOrUndefined(yield* Effect.option(profile))
        for (const name of created) {
          if (keep.some((kept) => kept === name) || of === undefined) continue
          yield* storeOf(of)?.discard(name, cwd) ?? Effect.void
        }
      })
  }
  return eraseCursor(adapter)
})

/** An agent that speaks the Agent Client Protocol as a provider, for one configured instance. */
export const layer = (
  options: AcpOptions
): Layer.Layer<
  ProviderAdapter,
  never,
  FileSystem.FileSystem | ChildProcessSpawner.ChildProcessSpawner | ProcessOwner
> => Layer.effect(ProviderAdapter, make(options))
