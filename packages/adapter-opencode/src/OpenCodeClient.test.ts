import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createServer } from "node:http"
import { type Answer, isNotFound, OpenCodeClient } from "./OpenCodeClient.ts"
import { Session } from "./OpenCodeSchema.ts"

const json = { "content-type": "application/json" }

/** A server that answers everything the same way, and the SDK's real client on it. */
const answering = (status: number, headers: Record<string, string>, body: string, at = 0) =>
  Effect.gen(function* () {
    const server = createServer((_, response) => void response.writeHead(status, headers).end(body))
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(at, "127.0.0.1", () => resume(Effect.void))
      }),
      () => Effect.sync(() => server.close().closeAllConnections())
    )
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    const client = new OpenCodeClient("opencode", { url: `http://127.0.0.1:${port}`, password: undefined })
    return Object.assign(client, { port })
  })

const get = (client: OpenCodeClient) =>
  client.ask((sdk, signal) => sdk.session.get({ sessionID: "ses_x" }, { signal }))

const answer = (status: number, headers: Record<string, string>, body: string): Effect.Effect<Answer> =>
  Effect.scoped(Effect.flatMap(answering(status, headers, body), get))

describe("OpenCode's answers, through its real client (C21)", () => {
  it.live("C14, C24: a success without data, or of another shape, is an error and never an absence", () =>
    Effect.gen(function* () {
      for (const body of ["", "null", "{}", "[]", '{"id":"other"}']) {
        const client = yield* answering(200, json, body)
        const error = yield* Effect.flip(
          client.read("fork", Session, (sdk, signal) => sdk.session.fork({ sessionID: "ses_x" }, { signal }))
        )
        assert.strictEqual(error._tag, "ProviderFailed", body)
        assert.isFalse(isNotFound(yield* get(client)), body)
      }
    }).pipe(Effect.scoped)
  )

  it.live(
    "C7, C8, C10: only status 404 with the name NotFoundError is an absence, whatever is said or nested",
    () =>
      Effect.gen(function* () {
        const named = JSON.stringify({ name: "NotFoundError", data: { message: "Session not found: ses_x" } })
        assert.isTrue(isNotFound(yield* answer(404, json, named)))
        const others: ReadonlyArray<readonly [number, Record<string, string>, string]> = [
          [500, json, named],
          [401, {}, ""],
          [403, json, named],
          [429, json, named],
          [200, json, named],
          [404, {}, ""],
          [404, { "content-type": "text/plain" }, "NotFoundError"],
          [404, json, JSON.stringify({ error: { name: "NotFoundError" } })],
          [
            404,
            json,
            JSON.stringify({ name: "UnknownError", cause: { name: "NotFoundError", status: 404 } })
          ],
          [200, { "content-type": "text/html" }, "<html>NotFoundError</html>"]
        ]
        for (const [status, headers, body] of others) {
          assert.isFalse(isNotFound(yield* answer(status, headers, body)), `${status} ${body}`)
        }
      })
  )

  it.live("where one server follows another on its port, the first call to it does not break", () =>
    Effect.gen(function* () {
      let port = 0
      for (let i = 0; i < 20; i++) {
        const client = yield* Effect.gen(function* () {
          const client = yield* answering(200, json, `{"from":${i}}`, port)
          for (let call = 0; call < 3; call++)
            assert.deepEqual(yield* get(client), { _tag: "Ok", data: { from: i } })
          return client
        }).pipe(Effect.scoped)
        port = client.port
        assert.strictEqual((yield* get(client))._tag, "Down")
      }
    })
  )

  it.live("C9: nobody there is Down, not an absence", () =>
    Effect.gen(function* () {
      const down = yield* get(
        new OpenCodeClient("opencode", { url: "http://127.0.0.1:1", password: undefined })
      )
      assert.strictEqual(down._tag, "Down")
    })
  )
})
