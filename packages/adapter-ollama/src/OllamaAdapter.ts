import { newRecords, removeRecords, writeRecords } from "@rejoin/agent-kit/FileRecords"
import { probed, requireStore as makeRequireStore } from "@rejoin/agent-kit/Probing"
import { markedStoreOf, placeOf } from "@rejoin/agent-kit/StoreIdentity"
import { known, unknown } from "@rejoin/contracts/Fact"
import { ProviderFailed } from "@rejoin/contracts/Errors"
import { MessageId, ProviderSessionId } from "@rejoin/contracts/Ids"
import { now } from "@rejoin/contracts/Time"
import { type Capabilities, noCapabilities, type ProviderInfo } from "@rejoin/contracts/Provider"
import { newId, newUuid } from "@rejoin/core/NewId"
import { type Found, type History, Probe, ProbeFailure } from "@rejoin/core/plan/Probe"
import {
  eraseCursor,
  ProviderAdapter,
  type ProviderAdapterShape,
  type StartRequest,
  type TranscriptCopy
} from "@rejoin/core/providers/ProviderAdapter"
import { Effect, FileSystem, Layer, Option, Predicate } from "effect"
import { cursorOf, decodeCursor, fileOf, isRecord, type OllamaCursor } from "./OllamaCursor.ts"
import { failureOf } from "./OllamaFailures.ts"
import { makeFiles } from "./OllamaFiles.ts"
import { composed } from "./OllamaCompose.ts"
import type { OllamaOptions } from "./OllamaOptions.ts"
import { type Assistant, linesUntil, type OllamaRecord, type User } from "./OllamaRecord.ts"
import { connect, type OllamaConnection } from "./OllamaSession.ts"
import { ollamaWire } from "./OllamaWire.ts"
import { openAiWire } from "./OpenAiWire.ts"
import { WireFailure } from "./Wire.ts"

const capabilities: Capabilities = {
  // Without tools nothing is done, whatever is allowed.
  runtimeModes: ["read-only", "approval-required", "auto-accept-edits", "full-access"],
  relocate: ["fork"],
  reconfigure: true,
  steer: false,
  interrupt: true,
  fork: ["whole", "turn"],
  restore: true,
  compose: true,
  additionalDirectories: false,
  systemPrompt: true,
  terminal: false
}

const historyOf = ({ lines }: OllamaRecord, mark: MessageId | null): History => {
  if (mark === null) return "unknown"
  return lines.some((line) => line.type === "user" && line.id === mark) ? "same" : "behind"
}

const make = Effect.fnUntraced(function* (options: OllamaOptions) {
  const fs = yield* FileSystem.FileSystem
  const { directory, id } = options
  const provided = Effect.provideService(FileSystem.FileSystem, fs)
  yield* provided(placeOf(directory))
  const wire = options.wire === "ollama" ? ollamaWire(options) : openAiWire(options)
  const files = makeFiles(id, directory)
  const storeId = Effect.map(provided(markedStoreOf(directory)), ({ id }) => id)
  const requireStore = makeRequireStore(fs, directory)
  const live = new Map<string, OllamaConnection>()

  const usual =
    options.model === undefined
      ? Effect.flatMap(wire.models, ([first]) =>
          first === undefined
            ? Effect.fail(new WireFailure({ kind: "no-model", message: "The server has no model." }))
            : Effect.succeed(first.id)
        )
      : Effect.succeed(options.model)

  const found = (
    { providerSessionId }: OllamaCursor,
    record: OllamaRecord,
    mark: MessageId | null
  ): Found => {
    const connection = live.get(providerSessionId)
    const state = connection?.state()
    return Probe.Found({
      directory: unknown("not-applicable"),
      mode: state === undefined ? unknown("not-told") : known(state.mode, "answer"),
      model: state?.model == null ? unknown("not-told") : known(state.model, "answer"),
      history: historyOf(record, mark),
      ahead: 0,
      activity: connection?.isWorking() === true ? "running" : "idle",
      holder: connection === undefined ? "none" : "ours",
      repairs: []
    })
  }

  const recordIn = Effect.fnUntraced(function* (cursor: OllamaCursor) {
    yield* requireStore(cursor)
    const file = fileOf(cursor.providerSessionId)
    const read = yield* files.read(cursor.providerSessionId)
    if (read === undefined)
      return yield* new ProbeFailure({ probe: Probe.NotFound({ evidence: { file, found: false } }) })
    if (Option.isNone(read))
      return yield* new ProbeFailure({ probe: Probe.Corrupt({ evidence: { file, found: true } }) })
    return read.value
  })

  const adopt = Effect.fn("Ollama.adopt")(function* (cursor: OllamaCursor, request: StartRequest) {
    const record = yield* recordIn(cursor)
    const connection = yield* connect({
      provider: id,
      cursor,
      files,
      wire,
      record,
      mode: request.mode,
      model: request.model,
      usual
    })
    yield* Effect.acquireRelease(
      Effect.sync(() => void live.set(cursor.providerSessionId, connection)),
      () =>
        Effect.sync(
          () => live.get(cursor.providerSessionId) === connection && live.delete(cursor.providerSessionId)
        )
    )
    const verified = { ...connection.verified(), history: historyOf(record, request.mark) }
    return { session: connection.session, verified, mark: request.mark }
  })

  /** A new record, and the session that goes on with it. */
  const begin = Effect.fnUntraced(function* (
    request: StartRequest,
    lines: ReadonlyArray<User | Assistant>,
    mark: MessageId | null
  ) {
    const name = yield* newUuid
    yield* request.created(ProviderSessionId.make(name))
    const { systemPrompt, title } = request
    yield* files.create({ type: "conversation", v: 1, id: name, title, systemPrompt, at: yield* now }, lines)
    return yield* adopt(cursorOf(name, yield* storeId), { ...request, mark })
  })

  const restore = Effect.fn("Ollama.restore")(function* (copy: TranscriptCopy, request: StartRequest) {
    const failed = (why: string) =>
      new ProviderFailed({ provider: id, message: `The conversation could not be restored: ${why}.` })
    const written = yield* Effect.mapError(
      writeRecords(directory, yield* copy.files, (file) => isRecord(file)),
      failed
    )
    return yield* Effect.gen(function* () {
      const started = yield* adopt(cursorOf(copy.head.providerSessionId, yield* storeId), request)
      const { history } = started.verified
      if (request.mark === null || history === "same") return started
      return yield* failed(`our copy does not hold what it should (${history})`)
    }).pipe(Effect.onError(() => removeRecords(written)))
  })

  const info = wire.version.pipe(
    Effect.timeout("5 seconds"),
    Effect.matchEager({
      onFailure: (error): ProviderInfo => ({
        id,
        driver: "ollama",
        program: options.url,
        model: options.model ?? null,
        dataDirectory: directory,
        status: "unusable",
        reason: error._tag === "WireFailure" ? failureOf(id, "", error, 0).message : "It does not answer.",
        version: null,
        supported: false,
        authenticated: null,
        capabilities: noCapabilities
      }),
      onSuccess: (version): ProviderInfo => ({
        id,
        driver: "ollama",
        program: options.url,
        model: options.model ?? null,
        dataDirectory: directory,
        status: "ready",
        version,
        supported: true,
        authenticated: null,
        capabilities
      })
    })
  )

  const adapter: ProviderAdapterShape<OllamaCursor> = {
    id,
    driver: "ollama",
    info,
    capabilities: Effect.succeed(capabilities),
    newMessageId: Effect.map(newId("msg"), (id) => MessageId.make(id)),
    decodeCursor,
    encodeCursor: (cursor) => cursor,
    probe: (cursor, { mark }) =>
      probed(Effect.map(recordIn(cursor), (record) => found(cursor, record, mark))),
    glance: (cursor, { mark }) =>
      Effect.gen(function* () {
        const state = live.get(cursor.providerSessionId)?.state()
        const stamp = yield* files.stamp(cursor.providerSessionId)
        // As we left it: nobody else wrote it since.
        return state?.stamp !== undefined && state.stamp === stamp
          ? Option.some(found(cursor, state.record, mark))
          : Option.none()
      }),
    create: (request) => begin(request, [], null),
    adopt,
    relocate: {
      fork: (cursor, request) =>
        Effect.gen(function* () {
          const record = yield* recordIn(cursor)
          const point = request.fork
          const lines = linesUntil(record, Predicate.isObject(point) ? point.next : null)
          return yield* begin(request, lines, request.mark)
        })
    },
    transcript: ({ providerSessionId }, position, atMost) =>
      Effect.gen(function* () {
        if ((yield* files.stamp(providerSessionId)) === undefined) return Option.none()
        return Option.some(yield* newRecords(directory, [fileOf(providerSessionId)], position, atMost))
      }).pipe(Effect.mapError((message) => new ProviderFailed({ provider: id, message }))),
    restore,
    isRecord,
    compose: (conversation, request) =>
      Effect.gen(function* () {
        const { lines, mark, unfit } = composed(conversation)
        const started = yield* begin(request, lines, mark)
        return {
          ...started,
          renamed: new Map<string, string>(),
          leftOut: unfit === 0 ? {} : { attachment: unfit }
        }
      }),
    models: Effect.gen(function* () {
      const own = yield* usual
      const all = yield* wire.models
      return all.map((model) => ({ ...model, ...(model.id === own && { default: true }) }))
    }).pipe(Effect.mapError((error) => new ProviderFailed({ provider: id, message: error.message }))),
    quiesce: ({ providerSessionId }) =>
      Effect.suspend(() => live.get(providerSessionId)?.interrupt ?? Effect.void),
    delivered: (cursor, messageId) =>
      recordIn(cursor).pipe(
        Effect.map(
          (record) =>
            (historyOf(record, messageId) === "same" ? "arrived" : "absent") as
              | "arrived"
              | "absent"
              | "unknown"
        ),
        Effect.orElseSucceed(() => "unknown" as const)
      ),
    undo: ({ created, keep, titleMark }) =>
      Effect.gen(function* () {
        const marked = titleMark === null ? [] : yield* files.titled(titleMark)
        for (const name of new Set<string>([...created, ...marked]))
          if (!keep.some((kept) => kept === name) && isRecord(fileOf(name), name)) yield* files.remove(name)
      })
  }
  return eraseCursor(adapter)
})

/** A server of models as a provider, for one configured instance: the conversation is kept by us, and told whole. */
export const layer = (options: OllamaOptions): Layer.Layer<ProviderAdapter, never, FileSystem.FileSystem> =>
  Layer.effect(ProviderAdapter, make(options))
