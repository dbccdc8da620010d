import { assert, describe, it } from "@effect/vitest"
import { PromiseClient } from "@rejoin/client/PromiseClient"
import { memory } from "@rejoin/core/testing/World"
import { Effect, Stream } from "effect"
import { bearer, json, live, plain, tagOf, token } from "./testing/Served.ts"

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
        assert.deepEqual(seen, ids.toReversed())
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
          yield* Effect.exit(client.sessions.release({ params, payload: {} })),
          yield* Effect.exit(
            client.threads.answer({ params: { ...params, requestId: "r" }, payload: { decision: "accept" } })
          ),
          yield* Effect.exit(client.turns.get({ params: { ...params, turnId: "t" }, query: {} }))
        ]
        assert.deepEqual(exits.map(tagOf), [
          "ProviderNotFound",
          "IdempotencyConflict",
          "ThreadBusy",
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

        // Every operation, by the name that it has in the API, with plain strings.
        const copy = await client.api.sessions.fork({ params: { id: thread.id }, payload: {} })
        const listed = await client.api.threads.list({ query: { limit: 10 } })
        assert.sameMembers(
          listed.items.map((one) => String(one.id)),
          [String(thread.id), String(copy.id)]
        )
        const pieces: Array<string> = []
        for await (const piece of client.ask(copy.id, "two")) pieces.push(piece)
        assert.strictEqual(pieces.join(""), "one | two")
        const failing = client.ask(copy.id, "fail")
        const why = await failing.next().catch((cause: unknown) => cause)
        assert.instanceOf(why, Error)
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
