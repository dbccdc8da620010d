import { modelsOf } from "./CodexModels.ts"
import { ProviderFailed, ProviderUnavailable } from "@rejoin/contracts/Errors"
import { MessageId } from "@rejoin/contracts/Ids"
import type { Capabilities } from "@rejoin/contracts/Provider"
import { agentInfo, programStamp, programVersion } from "@rejoin/agent-kit/AgentInfo"
import { isCopied, newRecords } from "@rejoin/agent-kit/FileRecords"
import { newId } from "@rejoin/core/NewId"
import { probed, requireStore as makeRequireStore } from "@rejoin/agent-kit/Probing"
import { ProcessOwner } from "@rejoin/agent-kit/ProcessOwner"
import {
  eraseCursor,
  ProviderAdapter,
  type ProviderAdapterShape
} from "@rejoin/core/providers/ProviderAdapter"
import { makeServerPool, poolKey } from "@rejoin/agent-kit/ServerPool"
import { untilIdle } from "@rejoin/agent-kit/SessionEnd"
import { markedStoreOf, placeOf } from "@rejoin/agent-kit/StoreIdentity"
import { Effect, FileSystem, Layer, Option, Predicate, Schema } from "effect"
import { basename, dirname, join, relative } from "node:path"
import { ChildProcessSpawner } from "effect/process"
import { type CodexCursor, decodeCursor } from "./CodexCursor.ts"
import { codexHome, type CodexOptions } from "./CodexOptions.ts"
import { makeOwn } from "./CodexOwn.ts"
import { findPowers } from "@rejoin/agent-kit/RepoPowers"
import { powers } from "./CodexPowers.ts"
import { makeProbe } from "./CodexProbe.ts"
import { isRecord, makeRollouts } from "./CodexRollouts.ts"
import { Account } from "./CodexSchema.ts"
import { startServer } from "./CodexServer.ts"
import type { CodexConnection } from "./CodexSession.ts"
import { makeStarts } from "./CodexStarts.ts"
import { makeTerminal } from "./CodexTerminal.ts"
import { isSupported, supported } from "./CodexVersion.ts"

const capabilities: Capabilities = {
  runtimeModes: ["read-only", "approval-required", "auto-accept-edits", "full-access"],
  relocate: ["fork"],
  reconfigure: true,
  steer: true,
  interrupt: true,
  fork: ["whole", "turn"],
  restore: true,
  compose: true,
  additionalDirectories: true,
  systemPrompt: true,
  terminal: true
}

const none = { extraEnv: {}, additionalDirectories: [], loads: null }

const make = Effect.fnUntraced(function* (options: CodexOptions) {
  const fs = yield* FileSystem.FileSystem
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const { binary, environment, id } = options
  const configured = codexHome(environment)
  // It may not be there yet: then its parent's realpath is what it will have.
  const parent = dirname(configured)
  const home = yield* fs.realPath(configured).pipe(
    Effect.catch(() => Effect.map(fs.realPath(parent), (real) => join(real, basename(configured)))),
    Effect.orElseSucceed(() => configured)
  )
  const provided = Effect.provideService(FileSystem.FileSystem, fs)
  const storeId = Effect.map(provided(markedStoreOf(configured)), ({ id }) => id)
  const rollouts = makeRollouts(fs, home)
  const live = new Map<string, CodexConnection>()

  const start = Effect.fnUntraced(function* (
    extraEnv: Readonly<Record<string, string>>,
    reindex: string | null
  ) {
    const owner = yield* ProcessOwner
    const scratch = yield* owner.scratch.pipe(
      Effect.mapError(({ message }) => new ProviderUnavailable({ provider: id, message }))
    )
    const server = yield* startServer({
      provider: id,
      binary,
      cwd: scratch,
      environment: { ...environment, ...extraEnv },
      // An index that is made anew from the files, beside the user's, which is left as it is.
      sqliteHome: reindex === null ? undefined : scratch,
      home
    })
    const told = yield* Effect.orElseSucceed(fs.realPath(server.codexHome), () => server.codexHome)
    if (told !== home) {
      return yield* new ProviderUnavailable({
        provider: id,
        message: `Codex works on ${told} and not on ${home}.`
      })
    }
    return server
  })

  // One server for all threads with the same environment. It ends when it has had no session for a while.
  const pool = yield* makeServerPool({
    provider: id,
    name: "Codex",
    start: (key: { readonly extraEnv: Readonly<Record<string, string>>; readonly reindex: string | null }) =>
      start(key.extraEnv, key.reindex)
  })
  const acquire = (of: { readonly extraEnv: Readonly<Record<string, string>> }, reindex: string | null) =>
    Effect.flatMap(provided(placeOf(configured)), (place) =>
      pool.acquire(poolKey({ extraEnv: of.extraEnv, reindex, place }))
    )

  const requireStore = makeRequireStore(fs, configured)
  const { delivered, glance, probe } = makeProbe({ fs, home, rollouts })
  const brings = findPowers({ fs, agent: "codex", powers, own: [home] })
  const starts = makeStarts({
    options,
    brings,
    fs,
    home,
    rollouts,
    version: Effect.map(
      Effect.suspend(() => info),
      ({ version }) => version
    ),
    acquire,
    requireStore,
    storeId,
    register: ({ providerSessionId }, connection) =>
      Effect.acquireRelease(
        Effect.sync(() => void live.set(providerSessionId, connection)),
        () => Effect.sync(() => live.get(providerSessionId) === connection && live.delete(providerSessionId))
      )
  })

  const authenticated = Effect.scoped(
    Effect.gen(function* () {
      const { client } = yield* acquire(none, null)
      const { account, requiresOpenaiAuth } = yield* client.call(Account, "account/read", {
        refreshToken: false
      })
      return account !== null || requiresOpenaiAuth === false
    })
  ).pipe(Effect.orElseSucceed(() => null))

  const info = agentInfo({
    id,
    driver: "codex",
    name: "Codex",
    program: binary,
    version: Effect.provideService(
      programVersion("Codex", binary, environment),
      ChildProcessSpawner.ChildProcessSpawner,
      spawner
    ),
    stamp: programStamp(fs, binary),
    isSupported,
    supported,
    authenticated,
    model: options.model ?? null,
    dataDirectory: home,
    capabilities
  })

  const adapter: ProviderAdapterShape<CodexCursor> = {
    id,
    driver: "codex",
    info,
    capabilities: Effect.succeed(capabilities),
    newMessageId: Effect.map(newId("msg"), (id) => MessageId.make(id)),
    decodeCursor,
    encodeCursor: (cursor) => cursor,
    probe: (cursor, about) =>
      Effect.scoped(
        Effect.gen(function* () {
          yield* requireStore(cursor)
          const connection = live.get(cursor.providerSessionId)
          const server = connection?.server ?? (yield* acquire(about, null))
          return yield* probe(server, cursor, about.mark, connection)
        })
      ).pipe(
        // One that hung is ended while it is asked: another one answers.
        Effect.retry({ times: 1, while: ({ _tag }) => _tag === "ProviderUnavailable" }),
        probed
      ),
    glance: ({ providerSessionId }) => {
      const connection = live.get(providerSessionId)
      return connection === undefined ? Effect.succeedNone : glance(connection, providerSessionId)
    },
    brings: { find: brings, keepsOut: () => true },
    create: starts.create,
    adopt: starts.adopt,
    relocate: { fork: starts.fork },
    transcript: ({ providerSessionId }, position, atMost) =>
      Effect.gen(function* () {
        const own = yield* rollouts.ownFile(providerSessionId)
        if (own === undefined) return Option.none()
        // Those that it goes on from stay as they are: they are looked for once, and where it goes on in another one.
        if (isCopied(position, relative(home, own))) {
          const grown = yield* newRecords(home, [relative(home, own)], position, atMost)
          if (!grown.anew) return Option.some(grown)
        }
        const all = yield* rollouts.filesOf(own)
        if (all.length === 0) return Option.none()
        return Option.some(
          yield* newRecords(
            home,
            all.map((path) => relative(home, path)),
            undefined,
            atMost
          )
        )
      }).pipe(
        Effect.mapError(
          (cause) =>
            new ProviderFailed({ provider: id, message: Predicate.isString(cause) ? cause : cause.message })
        )
      ),
    restore: starts.restore,
    isRecord,
    models: Effect.scoped(Effect.flatMap(acquire(none, null), ({ client }) => modelsOf(client))),
    own: makeOwn({ provider: id, fs, home, rollouts, storeId, server: acquire(none, null) }),
    compose: starts.compose,
    terminal: makeTerminal(options, fs, home, rollouts),
    quiesce: ({ providerSessionId }) =>
      Effect.gen(function* () {
        const connection = live.get(providerSessionId)
        if (connection === undefined) return
        yield* connection.interrupt
        yield* untilIdle(connection.isRunning)
      }),
    delivered: (cursor, messageId) =>
      Effect.andThen(requireStore(cursor), delivered(cursor.providerSessionId, messageId)).pipe(
        Effect.orElseSucceed(() => "unknown" as const)
      ),
    undo: ({ created, keep, titleMark, window, ...of }) =>
      Effect.gen(function* () {
        const marked = titleMark === null ? [] : yield* rollouts.marked(titleMark, window)
        const nameless = marked.filter((id) => !keep.some((kept) => kept === id))
        for (const threadId of new Set<string>([...created, ...nameless])) {
          // Before its first turn a thread has no file: then there is nothing to remove.
          if ((yield* rollouts.find(threadId)).length === 0) continue
          yield* Effect.scoped(
            Effect.flatMap(acquire(of, null), ({ client }) =>
              client.call(Schema.Unknown, "thread/delete", { threadId })
            )
          )
        }
      }).pipe(
        Effect.catchTag("PlatformError", ({ message }) =>
          Effect.fail(new ProviderFailed({ provider: id, message }))
        )
      )
  }
  return eraseCursor(adapter)
})

/** Codex as a provider: its app-server, threads and events, for one configured instance. */
export const layer = (
  options: CodexOptions
): Layer.Layer<
  ProviderAdapter,
  never,
  FileSystem.FileSystem | ChildProcessSpawner.ChildProcessSpawner | ProcessOwner
> => Layer.effect(ProviderAdapter, make(options))
