import { assert, describe, it } from "@effect/vitest"
import { json, mutated, torn } from "@rejoin/testkit/Mutated"
import { Effect } from "effect"
import fc from "fast-check"
import { json as headers, live, plain } from "./testing/Served.ts"

const rights = (cwd: string) => ({
  "/api/threads": { provider: "memory", cwd, runtimeMode: "read-only", key: { agent: "a", external: "b" } },
  "/api/threads/ID/turns": { input: "hello", delivery: "queue", idempotencyKey: "k", attachments: [] },
  "/api/threads/ID/move": { cwd },
  "/api/threads/ID/fork": { cwd },
  "/api/threads/ID/requests/R": { decision: "accept", message: "m" }
})

const strange = fc.oneof(
  // What a client itself resolves never arrives.
  fc
    .string({ maxLength: 40 })
    .filter((id) => !/^\.*$/.test(id))
    .map(encodeURIComponent),
  fc.constantFrom("thr_none", "%2e%2e%2f", "%00", "null", "a".repeat(2000), "thr_%F0%9F%98%80")
)

describe("whatever is sent", () => {
  it.live("a body that is not as it should be is refused with what is wrong: no 500, no session", () =>
    live(({ cwd, upstream, url }) =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(
            fc.constantFrom(...Object.entries(rights(cwd))).chain(([path, body]) =>
              fc.tuple(
                fc.constant(path),
                strange,
                // Not one that is right: those do what they should.
                fc.oneof(
                  mutated(body).map((value) => JSON.stringify(value) ?? ""),
                  json.map((value) => JSON.stringify(value)),
                  torn(JSON.stringify(body))
                )
              )
            ),
            async ([path, id, body]) => {
              const { status } = await Effect.runPromise(
                plain(url + path.replace("ID", id), headers, "POST", body)
              )
              assert.isBelow(status, 500, `${path} ${id} ${body}`)
              assert.strictEqual(upstream.sessions.size, 0)
            }
          ),
          { numRuns: 200, seed: 1 }
        )
      )
    )
  )

  it.live("ids and queries that are not as they should be are refused, everywhere", () =>
    live(({ url }) =>
      Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(
            fc.constantFrom(
              "/api/threads/ID",
              "/api/threads/ID/turns/ID",
              "/api/threads/ID/items?before=ID&limit=ID",
              "/api/threads/ID/events",
              "/api/threads/ID/receipts?after=ID&limit=ID",
              "/api/threads?project=ID&after=ID&limit=ID",
              "/api/ID",
              "/ID"
            ),
            strange,
            fc.constantFrom("GET", "DELETE", "PATCH", "PUT"),
            async (path, id, method) => {
              const { status } = await Effect.runPromise(
                plain(url + path.replaceAll("ID", id), headers, method, method === "PATCH" ? "{}" : undefined)
              )
              assert.isBelow(status, 500, `${method} ${path} ${id}`)
            }
          ),
          { numRuns: 200, seed: 1 }
        )
      )
    )
  )
})
