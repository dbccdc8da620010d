import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { make as makeClient } from "@rejoin/client/Client"
import { PromiseClient } from "@rejoin/client/PromiseClient"
import * as Core from "@rejoin/core/Core"
import { layerMemory } from "@rejoin/core/MemoryThreadStore"
import { ProviderRegistry } from "@rejoin/core/ProviderRegistry"
import { defaults, Settings } from "@rejoin/core/Settings"
import { layerInMemoryAdapter } from "@rejoin/core/testing/InMemoryAdapter"
import { InMemoryUpstream } from "@rejoin/core/testing/InMemoryUpstream"
import { memory } from "@rejoin/core/testing/World"
import { WorkingDirectory } from "@rejoin/core/WorkingDirectory"
import { Effect, Exit, FileSystem, Layer, Option, Redacted, Stream } from "effect"
import { HttpServer } from "effect/http"
import { request } from "node:http"
import { Configuration } from "./Configuration.ts"
import * as Server from "./Server.ts"
import { Token } from "./Token.ts"

const token = "a-token-of-the-tests"

/** The server's network and the core, on an in-memory provider and a directory of its own. */
const serve = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const root = yield* Effect.flatMap(fs.makeTempDirectoryScoped(), fs.realPath)
  yield* fs.makeDirectory(`${root}/work`)
  yield* fs.makeDirectory(`${root}/work/tree`)
  yield* fs.makeDirectory(`${root}/home`)
  yield* fs.symlink(`${root}/home`, `${root}/work/escape`)
  const upstream = new InMemoryUpstream()
  const settings = { ...defaults, roots: [`${root}/work`], forbidden: [`${root}/home`] }
  const configuration = {
    home: `${root}/home`,
    host: "127.0.0.1",
    port: 0,
    token: Option.none(),
    roots: settings.roots,
    file: {}
  }
  const layer = Server.http.pipe(
    Layer.provideMerge(Core.layerManual),
    Layer.provide(WorkingDirectory.layer),
    Layer.provide(Layer.succeed(Settings, settings)),
    Layer.provideMerge(layerMemory),
    Layer.provide(Layer.succeed(Configuration, configuration)),
    Layer.provide(
      Layer.succeed(Token, {
        file: undefined,
        value: Redacted.make(token),
        matches: (given) => given === token
      })
    ),
    Layer.provide(NodeServices.layer)
  )
  const context = yield* Layer.build(layer)
  return yield* Effect.gen(function* () {
    const registry = yield* ProviderRegistry
    yield* registry.add(layerInMemoryAdapter(upstream))
    const { address } = yield* HttpServer.HttpServer
    const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
    const client = yield* makeClient({ url, token: Redacted.make(token) })
    return { url, client, upstream, root, cwd: `${root}/work` }
  }).pipe(Effect.provide(context))
})

type Served = Effect.Success<typeof serve>

const live = <A, E>(body: (served: Served) => Effect.Effect<A, E>) =>
  Effect.flatMap(serve, body).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const errorOf = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Exit.findErrorOption(exit)) : undefined
const tagOf = (exit: Exit.Exit<unknown, unknown>) => {
  const error = errorOf(exit)
  return typeof error === "object" && error !== null && "_tag" in error ? error._tag : undefined
}

interface Plain {
  readonly status: number
  readonly body: string
  readonly contentType: string
}

/** A request as it is written, with any header: fetch sets some of its own. */
const plain = (url: string, headers: Record<string, string> = {}, method = "GET", body?: string) =>
  Effect.promise(
    () =>
      new Promise<Plain>((resolve, reject) => {
        const sent = request(url, { method, headers }, (response) => {
          let text = ""
          response.setEncoding("utf8")
          response.on("data", (piece: string) => (text += piece))
          response.on("end", () =>
            resolve({
              status: response.statusCode ?? 0,
              body: text,
              contentType: response.headers["content-type"] ?? ""
            })
          )
        })
        sent.on("error", reject)
        sent.end(body)
      })
  )

const bearer = { authorization: `Bearer ${token}` }
const json = { ...bearer, "content-type": "application/json" }

describe("the HTTP surface", () => {
  it.live("a thread, its turns, items, receipts and events, through the typed client", () =>
    live(({ client, cwd }) =>
      Effect.gen(function* () {
        const thread = yield* client.threads.create({ payload: { provider: memory, cwd, title: "mine" } })
        const params = { id: thread.id }
        const sent = yield* client.turns.send({ params, payload: { input: "one" } })
        const turn = yield* client.turns.get({ params: { ...params, turnId: sent.id }, query: { wait: 10 } })
        assert.deepInclude({ ...turn }, { status: "completed", output: "one" })
        assert.deepInclude(
          { ...(yield* client.threads.get({ params })) },
          { title: "mine", status: "done", generation: 1 }
        )
        const { items } = yield* client.threads.items({ params, query: {} })
        assert.deepEqual(
          items.map(({ kind }) => kind),
          ["user-message", "assistant-message"]
        )
        const receipts = yield* client.threads.receipts({ params, query: {} })
        assert.deepEqual(
          receipts.items.map(({ outcome }) => outcome),
          ["created"]
        )
        const types = yield* client.follow(thread.id, 0).pipe(
          Stream.map(({ type }) => type),
          Stream.takeUntil((type) => type === "turn.completed"),
          Stream.runCollect
        )
        assert.deepEqual(types.slice(0, 4), [
          "thread.updated",
          "turn.accepted",
          "session.started",
          "turn.started"
        ])
        const moved = yield* client.sessions.move({ params, payload: { cwd: `${cwd}/tree` } })
        assert.deepInclude({ ...moved }, { outcome: "forked", cwdVerified: `${cwd}/tree` })
        const providers = yield* client.providers.list()
        const has = { ...providers.items[0] }
        assert.deepEqual([has.id, has.status, has.supported], [memory, "ready", true])
        yield* client.threads.remove({ params })
        assert.strictEqual(tagOf(yield* Effect.exit(client.threads.get({ params }))), "ThreadNotFound")
      })
    )
  )

  it.live("lists come in pages that lead to one another", () =>
    live(({ client, cwd }) =>
      Effect.gen(function* () {
        const ids: Array<string> = []
        for (let i = 0; i < 5; i++)
          ids.push((yield* client.threads.create({ payload: { provider: memory, cwd } })).id)
        const seen: Array<string> = []
        let after: string | undefined
        do {
          const page: { items: ReadonlyArray<{ id: string }>; next?: string } = yield* client.threads.list({
            query: { limit: 2, ...(after !== undefined && { after }) }
          })
          seen.push(...page.items.map(({ id }) => id))
          after = page.next
        } while (after !== undefined)
        assert.deepEqual(seen, ids)
      })
    )
  )

  it.live("T1: the same key answers 200 with the same thread, a new one 201", () =>
    live(({ cwd, url }) =>
      Effect.gen(function* () {
        const payload = JSON.stringify({
          provider: "memory",
          cwd,
          key: { agent: "a", external: "telegram:1" }
        })
        const first = yield* plain(`${url}/api/threads`, json, "POST", payload)
        const second = yield* plain(`${url}/api/threads`, json, "POST", payload)
        assert.deepEqual([first.status, second.status], [201, 200])
        assert.strictEqual(JSON.parse(first.body).id, JSON.parse(second.body).id)
      })
    )
  )

  it.live("bad input is a typed 400 that says where, never a 500", () =>
    live(({ client, cwd, url }) =>
      Effect.gen(function* () {
        const thread = yield* client.threads.create({ payload: { provider: memory, cwd } })
        const bodies = [
          "",
          "{",
          "null",
          "[]",
          "{}",
          '{"input":1}',
          '{"input":""}',
          '{"input":"x","delivery":"never"}'
        ]
        for (const body of bodies) {
          const answer = yield* plain(`${url}/api/threads/${thread.id}/turns`, json, "POST", body)
          assert.strictEqual(answer.status, 400, body)
          assert.strictEqual(JSON.parse(answer.body)._tag, "InvalidInput", body)
        }
        // A field that is not known is not passed over: a mistyped mode must not pass for none.
        const mistyped = [
          yield* plain(`${url}/api/threads/${thread.id}`, json, "PATCH", '{"runtimMode":"read-only"}'),
          yield* plain(
            `${url}/api/threads/${thread.id}/turns`,
            json,
            "POST",
            '{"input":"x","idempotency_key":"k"}'
          ),
          yield* plain(
            `${url}/api/threads/${thread.id}/turns`,
            json,
            "POST",
            '{"input":"x","attachments":[{"name":"a","mediaType":"b","data":"%"}]}'
          )
        ]
        assert.deepEqual(
          mistyped.map(({ status }) => status),
          [400, 400, 400]
        )
        const query = yield* plain(`${url}/api/threads?limit=many`, bearer)
        assert.deepEqual([query.status, JSON.parse(query.body)._tag], [400, "InvalidInput"])
        const lastEventId = yield* plain(`${url}/api/events`, { ...bearer, "last-event-id": "x" })
        assert.deepEqual([lastEventId.status, JSON.parse(lastEventId.body)._tag], [400, "InvalidInput"])
        for (const path of [
          "threads/none",
          "threads/..%2f..",
          "threads/none/turns/none",
          "threads/none/items"
        ]) {
          assert.strictEqual((yield* plain(`${url}/api/${path}`, bearer)).status, 404, path)
        }
      })
    )
  )

  it.live("errors keep their tag, status and fields through the wire", () =>
    live(({ client, cwd }) =>
      Effect.gen(function* () {
        const thread = yield* client.threads.create({ payload: { provider: memory, cwd } })
        const params = { id: thread.id }
        const conflict = Effect.gen(function* () {
          yield* client.turns.send({ params, payload: { input: "a", idempotencyKey: "k" } })
          yield* client.turns.send({ params, payload: { input: "b", idempotencyKey: "k" } })
        })
        const exits = [
          yield* Effect.exit(client.threads.create({ payload: { provider: "none" as never, cwd } })),
          yield* Effect.exit(conflict),
          yield* Effect.exit(client.sessions.fork({ params, payload: {} })),
          yield* Effect.exit(client.sessions.release({ params })),
          yield* Effect.exit(
            client.threads.answer({ params: { ...params, requestId: "r" }, payload: { decision: "accept" } })
          ),
          yield* Effect.exit(client.turns.get({ params: { ...params, turnId: "t" }, query: {} }))
        ]
        assert.deepEqual(exits.map(tagOf), [
          "ProviderNotFound",
          "IdempotencyConflict",
          "CapabilityMissing",
          "CapabilityMissing",
          "RequestNotFound",
          "TurnNotFound"
        ])
      })
    )
  )

  it.live("a program without Effect uses promises", () =>
    live(({ cwd, url }) =>
      Effect.promise(async () => {
        const client = new PromiseClient({ url, token })
        const thread = await client.createThread({ provider: memory, cwd })
        const { id } = await client.send(thread.id, { input: "one" })
        assert.strictEqual((await client.wait(thread.id, id, 10)).output, "one")
        for await (const event of client.follow(thread.id, 0)) {
          if (event.type === "turn.completed") break
        }
        const error = await client.getThread("none").catch((cause: unknown) => cause)
        assert.deepInclude({ ...(error as object) }, { _tag: "ThreadNotFound" })
      })
    )
  )
})

describe("events over server-sent events", () => {
  it.live("a snapshot first, with its seq as id; then what follows, without a gap", () =>
    live(({ client, cwd, url }) =>
      Effect.gen(function* () {
        const thread = yield* client.threads.create({ payload: { provider: memory, cwd } })
        const params = { id: thread.id }
        const sent = yield* client.turns.send({ params, payload: { input: "one" } })
        yield* client.turns.get({ params: { ...params, turnId: sent.id }, query: { wait: 10 } })
        const frames: Array<string> = []
        yield* Effect.promise(async () => {
          const response = await fetch(`${url}/api/threads/${thread.id}/events`, { headers: bearer })
          assert.strictEqual(response.headers.get("content-type"), "text/event-stream")
          assert.strictEqual(response.headers.get("cache-control"), "no-store")
          const second = await fetch(`${url}/api/threads/${thread.id}/turns`, {
            method: "POST",
            headers: json,
            body: JSON.stringify({ input: "two" })
          })
          assert.strictEqual(second.status, 202)
          let text = ""
          const decoder = new TextDecoder()
          for await (const piece of response.body ?? []) {
            text += decoder.decode(piece as Uint8Array, { stream: true })
            if (text.includes("event: turn.completed")) break
          }
          frames.push(...text.split("\n\n").filter((frame) => frame.startsWith("id:")))
        })
        const parsed = frames.map((frame) => ({
          id: Number(/^id: (\d+)/.exec(frame)?.[1]),
          event: /event: (\S+)/.exec(frame)?.[1],
          data: JSON.parse(/data: (.*)/.exec(frame)?.[1] ?? "null")
        }))
        const [snapshot, ...rest] = parsed
        assert.strictEqual(snapshot?.event, "snapshot")
        assert.strictEqual(snapshot?.id, snapshot?.data.thread.lastSeq)
        assert.lengthOf(snapshot?.data.items, 2)
        assert.deepEqual(
          rest.map(({ id }) => id),
          rest.map((_, i) => (snapshot?.id ?? 0) + 1 + i)
        )
      })
    )
  )

  it.live("a reader that is up to date hears at once; one that is ahead of us gets a snapshot", () =>
    live(({ client, cwd, url }) =>
      Effect.gen(function* () {
        const { id } = yield* client.threads.create({ payload: { provider: memory, cwd } })
        const first = (after: number) =>
          Effect.promise(async () => {
            const headers = { ...bearer, "last-event-id": String(after) }
            const response = await fetch(`${url}/api/threads/${id}/events`, { headers })
            let text = ""
            for await (const piece of response.body ?? []) {
              text += new TextDecoder().decode(piece as Uint8Array)
              if (after === 1 || text.includes("event:")) break
            }
            return text
          })
        assert.include(yield* first(1), ": connected")
        assert.include(yield* first(999), "event: snapshot")
      })
    )
  )

  it.live("one stream carries all threads, by position", () =>
    live(({ client, cwd }) =>
      Effect.gen(function* () {
        const one = yield* client.threads.create({ payload: { provider: memory, cwd } })
        const two = yield* client.threads.create({ payload: { provider: memory, cwd } })
        for (const { id } of [one, two]) yield* client.turns.send({ params: { id }, payload: { input: "x" } })
        const done = new Set<string>()
        const events = yield* client.follow(undefined, 0).pipe(
          Stream.takeUntil(({ threadId, type }) => {
            if (type === "turn.completed") done.add(threadId)
            return done.size === 2
          }),
          Stream.runCollect
        )
        const positions = events.map(({ position }) => position)
        assert.deepEqual(
          positions,
          positions.map((_, i) => i + 1)
        )
      })
    )
  )
})

describe("who is let in", () => {
  it.live("health is open; everything else needs the token, which is never told in an error", () =>
    live(({ url }) =>
      Effect.gen(function* () {
        const health = yield* plain(`${url}/api/health`)
        assert.deepEqual(JSON.parse(health.body).status, "ok")
        for (const path of ["threads", "providers", "events", "metrics", "threads/x/events"]) {
          const answers = [
            yield* plain(`${url}/api/${path}`),
            yield* plain(`${url}/api/${path}`, { authorization: "Bearer wrong" }),
            yield* plain(`${url}/api/${path}?token=${token}`)
          ]
          assert.deepEqual(
            answers.map(({ status }) => status),
            [401, 401, 401],
            path
          )
          for (const { body } of answers) assert.notInclude(body, token)
        }
      })
    )
  )

  it.live("too many wrong tokens are answered 429, and the right one still works", () =>
    live(({ url }) =>
      Effect.gen(function* () {
        const wrong = plain(`${url}/api/threads`, { authorization: "Bearer wrong" })
        const statuses = yield* Effect.replicateEffect(wrong, 70)
        assert.include(
          statuses.map(({ status }) => status),
          429
        )
        assert.strictEqual((yield* plain(`${url}/api/threads`, bearer)).status, 200)
      })
    )
  )

  it.live("another Host or Origin is refused, whatever its token: DNS rebinding", () =>
    live(({ url }) =>
      Effect.gen(function* () {
        const { port } = new URL(url)
        const status = (headers: Record<string, string>) =>
          Effect.map(plain(`${url}/api/threads`, { ...bearer, ...headers }), ({ status }) => status)
        assert.strictEqual(yield* status({ host: `evil.example:${port}` }), 403)
        assert.strictEqual(yield* status({ host: "127.0.0.1:1" }), 403)
        assert.strictEqual(yield* status({ host: "127.0.0.1" }), 403)
        assert.strictEqual(yield* status({ origin: "http://evil.example" }), 403)
        assert.strictEqual(yield* status({ origin: "http://localhost:1" }), 403)
        assert.strictEqual(yield* status({ origin: "null" }), 403)
        assert.strictEqual(yield* status({ origin: url }), 200)
        assert.strictEqual(yield* status({ host: `localhost:${port}` }), 200)
        const page = yield* plain(`${url}/docs`, { host: `evil.example:${port}` })
        assert.strictEqual(page.status, 403)
      })
    )
  )

  it.live("roots are checked after realpath: no link, no `..` and no home of ours leads out", () =>
    live(({ client, cwd, root }) =>
      Effect.gen(function* () {
        const create = (cwd: string) =>
          Effect.exit(client.threads.create({ payload: { provider: memory, cwd } }))
        const exits = yield* Effect.forEach(
          [
            `${cwd}/escape`,
            `${cwd}/../home`,
            root,
            "/",
            `${cwd}-not`,
            `${cwd}/missing`,
            "relative",
            `${cwd}/tree/`
          ],
          create
        )
        assert.deepEqual(exits.map(tagOf), [
          "CwdNotAllowed",
          "CwdNotAllowed",
          "CwdNotAllowed",
          "CwdNotAllowed",
          "CwdUnavailable",
          "CwdUnavailable",
          "CwdUnavailable",
          undefined
        ])
      })
    )
  )

  it.live("a body that is too large is 413, whether it says so or not", () =>
    live(({ url }) =>
      Effect.gen(function* () {
        const answer = yield* plain(
          `${url}/api/threads`,
          { ...json, "content-length": String(1024 ** 3) },
          "POST"
        )
        assert.deepEqual([answer.status, JSON.parse(answer.body)._tag], [413, "PayloadTooLarge"])
        const body = JSON.stringify({ provider: "memory", cwd: "x".repeat(25 * 1024 * 1024) })
        const chunked = yield* plain(
          `${url}/api/threads`,
          { ...json, "transfer-encoding": "chunked" },
          "POST",
          body
        )
        assert.strictEqual(chunked.status, 413)
      })
    )
  )
})

describe("for operators", () => {
  it.live("OpenAPI, docs and metrics are there", () =>
    live(({ client, cwd, url }) =>
      Effect.gen(function* () {
        const openapi = JSON.parse((yield* plain(`${url}/openapi.json`)).body)
        assert.includeMembers(Object.keys(openapi.paths), [
          "/api/threads",
          "/api/threads/{id}/turns",
          "/api/threads/{id}/move",
          "/api/providers",
          "/api/health"
        ])
        assert.include((yield* plain(`${url}/docs`)).contentType, "text/html")
        const { id } = yield* client.threads.create({ payload: { provider: memory, cwd } })
        const sent = yield* client.turns.send({ params: { id }, payload: { input: "one" } })
        yield* client.turns.get({ params: { id, turnId: sent.id }, query: { wait: 10 } })
        const metrics = yield* plain(`${url}/api/metrics`, bearer)
        assert.include(metrics.contentType, "text/plain")
        assert.match(metrics.body, /rejoin_turns_total\{.*status="completed".*\} \d/)
        assert.match(metrics.body, /rejoin_session_starts_total\{.*outcome="created".*\} \d/)
      })
    )
  )
})
