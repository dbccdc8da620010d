import { assert, describe, it } from "@effect/vitest"
import { memory } from "@rejoin/core/testing/World"
import { Effect } from "effect"
import { bearer, json, live, plain, tagOf, token } from "./testing/Served.ts"

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

  it.live("a NUL in an address is refused as what it is, before a database sees it", () =>
    live(({ url }) =>
      Effect.gen(function* () {
        for (const path of ["threads/a%00b", "threads?project=a%00b", "search?q=%00"]) {
          const { body, status } = yield* plain(`${url}/api/${path}`, bearer)
          assert.deepEqual([status, JSON.parse(body)._tag], [400, "InvalidInput"], path)
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
