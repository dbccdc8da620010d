import { Api } from "@rejoin/contracts/Api"
import { InvalidInput, TurnNotFound } from "@rejoin/contracts/Errors"
import type { ProviderInstanceId, RequestId, ThreadId, TurnId } from "@rejoin/contracts/Ids"
import { proofOf } from "@rejoin/contracts/Proof"
import { Timestamp } from "@rejoin/contracts/Time"
import type { Turn } from "@rejoin/contracts/Turn"
import { ProviderRegistry } from "@rejoin/core/providers/ProviderRegistry"
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
import { ChatChannels } from "./ChatChannels.ts"
import { Directories } from "./Directories.ts"
import { WorkingTrees } from "./WorkingTrees.ts"
import { EventStream } from "./EventStream.ts"
import { Token } from "./Token.ts"
import { version } from "./version.ts"

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
  ...(turn.delivery !== null && { delivery: turn.delivery }),
  ...(turn.error !== null && { error: turn.error }),
  acceptedAt: turn.acceptedAt,
  ...(turn.startedAt !== null && { startedAt: turn.startedAt }),
  ...(turn.settledAt !== null && { settledAt: turn.settledAt })
})

const brokenOff = new InvalidInput({ field: "body", message: "The upload broke off. Nothing was changed." })

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
    return handlers.handleAll({
      create: Effect.fnUntraced(function* ({ payload }) {
        const { cwd, session } = payload
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
      answer: ({ params, payload }) =>
        service.answer(threadId(params), params.requestId as RequestId, payload),
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
      send: ({ params, payload }) => Effect.map(service.send(threadId(params), payload), turnView),
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
      update: ({ params, payload }) =>
        Effect.map(service.editTurn(threadId(params), params.turnId as TurnId, payload), turnView),
      interrupt: ({ params }) => service.interruptTurn(threadId(params), params.turnId as TurnId)
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
    return handlers.handleAll({
      list: () =>
        Effect.gen(function* () {
          const adapters = yield* registry.list
          const items = yield* Effect.forEach(adapters, ({ info }) => info, { concurrency: "unbounded" })
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
        const { code, expiresAt } = yield* codes.issue
        const link = linkOf(`http://${host}`, code)
        return { code, link, expiresAt: Timestamp.make(DateTime.formatIso(expiresAt)) }
      }),
      redeem: Effect.fnUntraced(function* ({ payload: { code, key } }) {
        yield* codes.redeem(code)
        if (key === undefined) return in_
        const { headers } = yield* HttpServerRequest.HttpServerRequest
        return { ...in_, browser: yield* browsers.enroll(key, yield* origin, headers["user-agent"] ?? "") }
      }),
      challenge: () => Effect.map(browsers.challenge, (challenge) => ({ challenge })),
      enter: Effect.fnUntraced(function* ({ payload: { browser, challenge, signature } }) {
        yield* browsers.enter(browser, yield* origin, challenge, signature)
        return in_
      }),
      browsers: () => Effect.map(browsers.list, (items) => ({ items })),
      forget: ({ params }) => browsers.forget(params.id)
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
    const { address } = yield* HttpServer.HttpServer
    const port = "port" in address ? address.port : 0
    return handlers.handle(
      "health",
      Effect.fnUntraced(function* ({ query: { challenge } }) {
        const alive = { status: "ok" as const, version }
        if (challenge === undefined) return alive
        return { ...alive, proof: yield* Effect.promise(() => proofOf(token.proofKey, challenge, port)) }
      })
    )
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
  metrics,
  health
)
