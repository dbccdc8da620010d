import { Api } from "@rejoin/contracts/Api"
import { InvalidInput, NotReady, TurnNotFound } from "@rejoin/contracts/Errors"
import type { ProviderInstanceId, RequestId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { proofOf } from "@rejoin/contracts/Proof"
import { Timestamp } from "@rejoin/contracts/Time"
import { type Turn, waits } from "@rejoin/contracts/Turn"
import { UsageFacts } from "@rejoin/core/turns/UsageFacts"
import { ProviderRegistry } from "@rejoin/core/providers/ProviderRegistry"
import { Draining } from "@rejoin/core/life/Draining"
import { LiveSessions } from "@rejoin/core/sessions/LiveSessions"
import { ProviderService } from "@rejoin/core/ProviderService"
import { Rules } from "@rejoin/core/rules/Rules"
import { snippetOf, termsOf, textOf } from "@rejoin/core/search/SearchText"
import type { TurnRecord } from "@rejoin/core/store/Records"
import { RepoTrust } from "@rejoin/core/trust/RepoTrust"
import { Threads } from "@rejoin/core/threads/Threads"
import { Settings } from "@rejoin/core/Settings"
import { ThreadStore } from "@rejoin/core/store/ThreadStore"
import { DateTime, Duration, Effect, Layer, Option, Redacted, Ref, Stream } from "effect"
import { HttpServer, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { PrometheusMetrics } from "effect/observability"
import { AccessCodes, linkOf } from "./AccessCodes.ts"
import { Browsers } from "./Browsers.ts"
import { allowMode, Caller, ownersAlone } from "./Caller.ts"
import { defaultRuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { Configuration } from "./Configuration.ts"
import { Devices } from "./Devices.ts"
import { KeyProof } from "./KeyProof.ts"
import { Push } from "./Push.ts"
import { addresses, addressFor } from "./Reach.ts"
import { Secure } from "./Secure.ts"
import { ChatChannels } from "./ChatChannels.ts"
import { Directories } from "./Directories.ts"
import { WorkingTrees } from "./WorkingTrees.ts"
import { EventStream } from "./EventStream.ts"
import { Token } from "./Token.ts"
import { version } from "./version.ts"
import { hostname } from "node:os"

const defaultLimit = 100

const pageOf = <A extends { readonly id: string }>(items: ReadonlyArray<A>, limit: number) => {
  const last = items.length === limit ? items.at(-1) : undefined
  return { items, ...(last && { next: last.id }) }
}

const turnView = (turn: TurnRecord): Turn => ({
  id: turn.id,
  threadId: turn.threadId,
  status: turn.status,
  ...(turn.undone && { undone: true }),
  ...(turn.elsewhere && { elsewhere: true }),
  input: turn.input,
  output: turn.output,
  ...(turn.attachments.length > 0 && { attachments: turn.attachments }),
  ...(turn.steers.length > 0 && {
    steers: turn.steers.map(({ at, attachments, input }) => ({
      input,
      at,
      ...(attachments && { attachments })
    }))
  }),
  ...(turn.notBefore && { notBefore: turn.notBefore }),
  ...(turn.continues && {
    continues: { turnId: turn.continues.turnId, because: turn.continues.because }
  }),
  ...(turn.continuedBy && { continuedBy: turn.continuedBy }),
  ...(turn.delivery !== null && { delivery: turn.delivery }),
  ...(turn.error !== null && { error: turn.error }),
  acceptedAt: turn.acceptedAt,
  ...(turn.startedAt !== null && { startedAt: turn.startedAt }),
  ...(turn.settledAt !== null && { settledAt: turn.settledAt })
})

const brokenOff = new InvalidInput({ field: "body", message: "The upload broke off. Nothing was changed." })

const sender = Effect.map(Caller, (device) => device && { device: device.id, mode: device.mode })

// An id in a path is text that names a thread or does not: which of the two the store says.
const threadId = ({ id }: { readonly id: string }) => id as ThreadId

const threads = HttpApiBuilder.group(
  Api,
  "threads",
  Effect.fnUntraced(function* (handlers) {
    const threads = yield* Threads
    const service = yield* ProviderService
    const store = yield* ThreadStore
    const streams = yield* EventStream
    const settings = yield* Settings
    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ payload }) {
        const { cwd, session } = payload
        const mode = payload.runtimeMode ?? settings.runtimeMode
        yield* allowMode(mode)
        if (session === undefined && cwd === undefined) {
          return yield* new InvalidInput({
            field: "cwd",
            message: "Where it is to work has to be named: cwd."
          })
        }
        const { created, thread } = yield* session === undefined
          ? threads.create({ ...payload, cwd: cwd ?? "" })
          : service.adopt({ ...payload, session })
        return HttpServerResponse.jsonUnsafe(thread, { status: created ? 201 : 200 })
      }),
      list: Effect.fnUntraced(function* ({ query: { after, limit = defaultLimit, project } }) {
        return yield* threads.list({ after, limit, project })
      }),
      get: ({ params }) => threads.get(threadId(params)),
      update: Effect.fnUntraced(function* ({ params, payload }) {
        if (payload.runtimeMode) yield* allowMode(payload.runtimeMode)
        yield* service.update(threadId(params), payload)
        return yield* threads.get(threadId(params))
      }),
      remove: ({ params }) => threads.remove(threadId(params)),
      items: Effect.fnUntraced(function* ({ params, query: { before, limit = defaultLimit } }) {
        const items = yield* threads.items(threadId(params), { before, limit })
        const [first] = items
        return { items, ...(first && items.length === limit && { next: first.id }) }
      }),
      events: ({ params }) => streams.ofThread(threadId(params)),
      allEvents: () => streams.ofAll,
      requests: Effect.fnUntraced(function* ({ params }) {
        yield* threads.record(threadId(params))
        return { items: yield* store.listRequests(threadId(params)) }
      }),
      answer: Effect.fnUntraced(function* ({ params, payload }) {
        // What is remembered is not asked for again, by anybody.
        const device = yield* Caller
        if (device !== undefined && "remember" in payload) return yield* ownersAlone(device)
        yield* service.answer(threadId(params), params.requestId as RequestId, payload)
      }),
      export: Effect.fnUntraced(function* ({ params, query: { move, to } }) {
        const bundle = yield* service.export(threadId(params), { move: move === "true", to })
        return Stream.tapError(bundle, (error) =>
          Effect.logError(`The export of ${params.id} broke off.`, error.message)
        )
      }),
      import: ({ payload, query: { cwd, provider } }) =>
        service.import(
          Stream.mapError(payload, () => brokenOff),
          { cwd, provider }
        ),
      receipts: Effect.fnUntraced(function* ({ params, query: { after, limit = defaultLimit } }) {
        yield* threads.record(threadId(params))
        return pageOf(yield* store.listReceipts(threadId(params), { after, limit }), limit)
      })
    })
  })
)

const turns = HttpApiBuilder.group(
  Api,
  "turns",
  Effect.fnUntraced(function* (handlers) {
    const threads = yield* Threads
    const service = yield* ProviderService
    const store = yield* ThreadStore
    return handlers.handleAll({
      send: Effect.fnUntraced(function* ({ params, payload }) {
        return turnView(yield* service.send(threadId(params), payload, yield* sender))
      }),
      list: Effect.fnUntraced(function* ({ params, query: { after, limit = defaultLimit } }) {
        yield* threads.record(threadId(params))
        const page = pageOf(yield* store.listTurns(threadId(params), { after, limit }), limit)
        return { ...page, items: page.items.map(turnView) }
      }),
      get: Effect.fnUntraced(function* ({ params, query: { wait = 0 } }) {
        const id = threadId(params)
        const turnId = params.turnId as TurnId
        if (wait > 0) {
          const settled = yield* Effect.timeoutOption(
            service.awaitSettled(id, turnId),
            Duration.seconds(wait)
          )
          if (Option.isSome(settled)) return turnView(settled.value)
        }
        yield* threads.record(id)
        const turn = yield* store.getTurn(turnId)
        if (Option.isSome(turn) && turn.value.threadId === id) return turnView(turn.value)
        return yield* new TurnNotFound({ turnId, message: `There is no turn ${turnId} in this thread.` })
      }),
      update: Effect.fnUntraced(function* ({ params, payload }) {
        const turnId = params.turnId as TurnId
        return turnView(yield* service.editTurn(threadId(params), turnId, payload, yield* sender))
      }),
      interrupt: Effect.fnUntraced(function* ({ params }) {
        const [id, turnId] = [threadId(params), params.turnId as TurnId]
        const turn = yield* store.getTurn(turnId)
        // What runs anybody stops who was let in; what waits is its sender's business.
        if (Option.isSome(turn) && waits(turn.value) && turn.value.threadId === id) {
          const { runtimeMode } = yield* threads.record(id)
          yield* allowMode(runtimeMode)
        }
        yield* service.interruptTurn(id, turnId)
      })
    })
  })
)

const sessions = HttpApiBuilder.group(
  Api,
  "sessions",
  Effect.fnUntraced(function* (handlers) {
    const threads = yield* Threads
    const service = yield* ProviderService
    return handlers.handleAll({
      interrupt: ({ params }) => service.interrupt(threadId(params)),
      stop: ({ params }) => service.stop(threadId(params)),
      reset: ({ params }) => Effect.andThen(service.reset(threadId(params)), threads.get(threadId(params))),
      move: ({ params, payload }) => service.move(threadId(params), payload.cwd),
      fork: ({ params, payload: { turnId, ...to } }) =>
        service.fork(threadId(params), { ...to, turnId: turnId as TurnId | undefined }),
      handover: ({ params, payload }) => service.handOver(threadId(params), payload),
      release: ({ params, payload }) => service.release(threadId(params), payload.flags ?? []),
      claim: ({ params }) => service.claim(threadId(params)),
      acceptHistory: ({ params }) => service.acceptHistory(threadId(params)),
      restore: ({ params }) => service.restore(threadId(params))
    })
  })
)

const providers = HttpApiBuilder.group(
  Api,
  "providers",
  Effect.fnUntraced(function* (handlers) {
    const registry = yield* ProviderRegistry
    const service = yield* ProviderService
    const settings = yield* Settings
    const usage = yield* UsageFacts
    return handlers.handleAll({
      list: () =>
        Effect.gen(function* () {
          const adapters = yield* registry.list
          const infos = yield* Effect.forEach(adapters, ({ info }) => info, { concurrency: "unbounded" })
          const items = infos.map((info) => {
            const limits = usage.of(info.id)
            return limits === undefined ? info : { ...info, limits }
          })
          return { items, defaults: { runtimeMode: settings.runtimeMode } }
        }),
      sessions: ({ params, query: { after, cwd, limit = defaultLimit, q } }) =>
        service.sessions(params.id as ProviderInstanceId, { after, cwd, limit, q }),
      models: ({ params }) =>
        Effect.map(service.models(params.id as ProviderInstanceId), (items) => ({ items }))
    })
  })
)

const search = HttpApiBuilder.group(
  Api,
  "search",
  Effect.fnUntraced(function* (handlers) {
    const store = yield* ThreadStore
    return handlers.handle(
      "search",
      Effect.fnUntraced(function* ({ query: { after = 0, limit = 20, project, provider, q, thread } }) {
        const terms = termsOf(q)
        if (terms.length === 0) {
          return yield* new InvalidInput({ field: "q", message: "There is no word in it to look for." })
        }
        const found = yield* store.search.find(terms, { project, provider, thread, skip: after, limit })
        const items = found.map(({ item, thread: { id, project, provider, title } }) => ({
          threadId: id,
          title,
          ...(project !== null && { project }),
          provider,
          itemId: item.id,
          turnId: item.turnId,
          kind: item.kind,
          ...snippetOf(textOf(item), terms)
        }))
        return { items, ...(found.length === limit && { next: String(after + limit) }) }
      })
    )
  })
)

const access = HttpApiBuilder.group(
  Api,
  "access",
  Effect.fnUntraced(function* (handlers) {
    const codes = yield* AccessCodes
    const browsers = yield* Browsers
    const devices = yield* Devices
    const proof = yield* KeyProof
    const token = yield* Token
    // The page's, which is this server's own, or the request would not have come so far.
    const origin = Effect.map(
      HttpServerRequest.HttpServerRequest,
      ({ headers: { host = "", origin } }) => origin ?? `http://${host}`
    )
    const in_ = { token: Redacted.value(token.value) }
    return handlers.handleAll({
      issue: Effect.fnUntraced(function* () {
        // This server's own, or the request would not have come so far.
        const { host = "" } = (yield* HttpServerRequest.HttpServerRequest).headers
        const { code, expiresAt } = yield* codes.issue()
        const link = linkOf(`http://${host}`, code)
        return { code, link, expiresAt: Timestamp.make(DateTime.formatIso(expiresAt)) }
      }),
      redeem: Effect.fnUntraced(function* ({ payload: { code, key } }) {
        const lets = yield* codes.redeem(code)
        const agent = (yield* HttpServerRequest.HttpServerRequest).headers["user-agent"] ?? ""
        const at = yield* origin
        if (lets !== undefined) {
          const { id } = yield* devices.add({ ...lets, agent }, { key, origin: at })
          return { token: devices.tokenOf(id), ...(key !== undefined && { browser: id }) }
        }
        return key === undefined ? in_ : { ...in_, browser: yield* browsers.enroll(key, at, agent) }
      }),
      challenge: () => Effect.map(proof.challenge, (challenge) => ({ challenge })),
      enter: Effect.fnUntraced(function* ({ payload: { browser: id, ...said } }) {
        const at = yield* origin
        const device = yield* devices.find(id, at)
        yield* proof.check(device ?? (yield* browsers.find(id, at)), said)
        if (device !== undefined) return { token: devices.tokenOf(id) }
        yield* browsers.seen(id)
        return in_
      }),
      browsers: () => Effect.map(browsers.list, (items) => ({ items })),
      forget: ({ params }) => browsers.forget(params.id)
    })
  })
)

const devices = HttpApiBuilder.group(
  Api,
  "devices",
  Effect.fnUntraced(function* (handlers) {
    const codes = yield* AccessCodes
    const devices = yield* Devices
    const push = yield* Push
    const service = yield* ProviderService
    const secure = yield* Secure
    const server = yield* HttpServer.HttpServer
    const { host, hosts } = yield* Configuration
    const port = "port" in server.address ? server.address.port : 0
    return handlers.handleAll({
      pair: Effect.fnUntraced(function* ({ payload: { mode = defaultRuntimeMode, name = "Phone" } }) {
        const { code, expiresAt } = yield* codes.issue({ name, mode })
        const tls = yield* secure.listening
        const link = linkOf(addressFor({ host, hosts, port, tls, machine: addresses() }), code)
        return { code, link, expiresAt: Timestamp.make(DateTime.formatIso(expiresAt)) }
      }),
      list: () => Effect.map(devices.list, (items) => ({ items })),
      me: () => Effect.map(Caller, (device) => ({ device: device ?? null })),
      revoke: ({ params: { id } }) =>
        Effect.all([devices.revoke(id), push.forget(id), service.withdrawFrom(id)], { discard: true })
    })
  })
)

const push = HttpApiBuilder.group(
  Api,
  "push",
  Effect.fnUntraced(function* (handlers) {
    const push = yield* Push
    const owner = Effect.map(Caller, (device) => device?.id ?? null)
    return handlers.handleAll({
      key: () => Effect.map(push.publicKey, (publicKey) => ({ publicKey })),
      list: () => Effect.map(Effect.flatMap(owner, push.list), (items) => ({ items })),
      subscribe: ({ payload: { quiet, ...target } }) =>
        Effect.flatMap(owner, (of) => push.subscribe(of, target, quiet)),
      unsubscribe: ({ params }) => Effect.flatMap(owner, (of) => push.unsubscribe(of, params.id))
    })
  })
)

const directories = HttpApiBuilder.group(
  Api,
  "directories",
  Effect.fnUntraced(function* (handlers) {
    const directories = yield* Directories
    const trees = yield* WorkingTrees
    const trust = yield* RepoTrust
    return handlers.handleAll({
      changes: ({ query }) => trees.changes(query.path),
      files: ({ query }) => Effect.map(trees.files(query.path, query.q ?? ""), (items) => ({ items })),
      look: ({ query }) => directories.look(query.path),
      addWorktree: Effect.fnUntraced(function* ({ payload }) {
        return HttpServerResponse.jsonUnsafe(yield* directories.addWorktree(payload), { status: 201 })
      }),
      brings: ({ query }) => trust.look(query.path),
      trusted: () => Effect.map(trust.list, (items) => ({ items })),
      trust: ({ payload: { hashes, path } }) => trust.grant(path, hashes),
      distrust: ({ query }) => trust.revoke(query.path)
    })
  })
)

const rules = HttpApiBuilder.group(
  Api,
  "rules",
  Effect.fnUntraced(function* (handlers) {
    const rules = yield* Rules
    return handlers.handleAll({
      list: ({ query }) =>
        Effect.map(rules.list(query.thread as ThreadId | undefined), (items) => ({ items })),
      create: ({ payload }) => rules.create(payload),
      remove: ({ params }) => rules.remove(params.id)
    })
  })
)

const channels = HttpApiBuilder.group(
  Api,
  "channels",
  Effect.fnUntraced(function* (handlers) {
    const current = yield* ChatChannels
    return handlers.handleAll({
      list: () =>
        Effect.map(
          Effect.flatMap(Ref.get(current), ({ list }) => list),
          (items) => ({ items })
        ),
      pair: ({ params }) => Effect.flatMap(Ref.get(current), ({ pair }) => pair(params.id)),
      unpair: ({ params }) => Effect.flatMap(Ref.get(current), ({ unpair }) => unpair(params.id)),
      peers: ({ params }) =>
        Effect.map(
          Effect.flatMap(Ref.get(current), ({ peers }) => peers(params.id)),
          (items) => ({ items })
        ),
      revoke: ({ params }) => Effect.flatMap(Ref.get(current), ({ revoke }) => revoke(params.id, params.peer))
    })
  })
)

const health = HttpApiBuilder.group(
  Api,
  "health",
  Effect.fnUntraced(function* (handlers) {
    const token = yield* Token
    const store = yield* ThreadStore
    const draining = yield* Draining
    const { address } = yield* HttpServer.HttpServer
    const port = "port" in address ? address.port : 0
    // As a write begins: one that may only be read, or is another server's by now, is no good.
    const written = store.transaction(store.lastPosition).pipe(
      Effect.timeout("2 seconds"),
      Effect.as({ status: "ready" as const, version }),
      Effect.mapError(
        ({ message }) => new NotReady({ message: `The database takes nothing now: ${message}` })
      )
    )
    return handlers.handleAll({
      health: Effect.fnUntraced(function* ({ query: { challenge } }) {
        const alive = { status: "ok" as const, version }
        if (challenge === undefined) return alive
        return { ...alive, proof: yield* Effect.promise(() => proofOf(token.proofKey, challenge, port)) }
      }),
      ready: () =>
        Effect.suspend(() =>
          draining.isDraining()
            ? Effect.fail(new NotReady({ message: "The server is about to end: no turn begins here." }))
            : written
        )
    })
  })
)

const runners = HttpApiBuilder.group(
  Api,
  "runners",
  Effect.fnUntraced(function* (handlers) {
    const { ownership } = yield* ThreadStore
    const sessions = yield* LiveSessions
    const draining = yield* Draining
    return handlers.handleAll({
      drain: Effect.fnUntraced(function* ({ payload: { handOver = false, seconds = 60 } }) {
        const running = yield* draining.drain(Duration.seconds(seconds))
        const handedOver = handOver && running === 0 ? yield* draining.handOver : 0
        return { running, handedOver }
      }),
      list: () =>
        Effect.map(ownership.machines, (machines) => {
          const alone = {
            id: "local",
            machine: hostname(),
            status: "up" as const,
            threads: sessions.list().length,
            version
          }
          const all = machines.map(({ id, lives, name, threads, version }) => ({
            id,
            machine: name,
            status: lives ? ("up" as const) : ("away" as const),
            threads,
            version
          }))
          return { items: all.length === 0 ? [alone] : all }
        })
    })
  })
)

const metrics = HttpApiBuilder.group(Api, "metrics", (handlers) =>
  handlers.handle("metrics", () => PrometheusMetrics.format())
)

/** Every endpoint of the Api, on the core's services. */
export const layer = Layer.mergeAll(
  threads,
  turns,
  sessions,
  providers,
  search,
  directories,
  rules,
  channels,
  access,
  devices,
  push,
  runners,
  metrics,
  health
)
