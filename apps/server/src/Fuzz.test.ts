import { assert, describe, it } from "@effect/vitest"
import { json, mutated, torn } from "@rejoin/testkit/Mutated"
import { ProviderInstanceId, type ThreadId, type TurnId } from "@rejoin/contracts/Ids"
import { Effect, Schema } from "effect"
import fc from "fast-check"
import { OpenApi, requestsOf } from "./testing/Requests.ts"
import { bearer, json as headers, live, plain } from "./testing/Served.ts"

/** `pnpm fuzz` sends more, from another seed. */
const { REJOIN_FUZZ_REQUESTS = "300", REJOIN_FUZZ_SEED = "1" } = process.env

const Told = Schema.fromJsonString(Schema.Struct({ _tag: Schema.String, message: Schema.NonEmptyString }))

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

  it.live("whatever the description allows, and nearly so: an answer that it declares, and no 5xx", () =>
    live(({ client, cwd, root, url }) =>
      Effect.gen(function* () {
        const { body } = yield* plain(`${url}/openapi.json`, bearer)
        const description = yield* Schema.decodeEffect(Schema.fromJsonString(OpenApi))(body)
        const provider = ProviderInstanceId.make("memory")
        const open = client.threads.create({ payload: { provider, cwd } })
        // Threads that stand for each other: one that was deleted is followed by the next.
        const threads = new Map<string, { readonly id: ThreadId; readonly turnId: TurnId }>()
        const renew = (name: string) =>
          Effect.gen(function* () {
            const { id } = yield* open
            const turn = yield* client.turns.send({ params: { id }, payload: { input: "hello" } })
            threads.set(name, { id, turnId: turn.id })
          })
        const names = ["thr_one", "thr_two", "thr_three"]
        yield* Effect.forEach(names, renew)
        const named = (path: string) =>
          names.reduce((text, name) => {
            const { id, turnId } = threads.get(name) ?? { id: name, turnId: name }
            const isThis = text.includes(name)
            return isThis ? text.replaceAll(name, id).replaceAll("trn_first", turnId) : text
          }, path)
        const run = Effect.runPromiseWith(yield* Effect.context())
        const statuses = new Map<number, number>()
        const places = [cwd, `${cwd}/tree`, root, `${cwd}/escape`, "/nowhere"]
        const real = {
          id: names,
          turnId: ["trn_first"],
          after: ["trn_first", "0"],
          before: ["0"],
          limit: ["1", "500", "501", "-1", "1e9"],
          wait: ["0", "-1", "x"],
          provider: ["memory"],
          cwd: places,
          path: places,
          repository: places
        }
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(requestsOf(description, real), async ({ body, declared, method, path }) => {
              const sent = `${method} ${path} ${body ?? ""}`.slice(0, 2000)
              const answer = await run(plain(url + named(path), headers, method, body))
              statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
              assert.isBelow(answer.status, 500, `${sent}: ${answer.body}`)
              assert.include(declared, String(answer.status), `${sent}: ${answer.body}`)
              if (answer.status >= 400) Schema.decodeSync(Told)(answer.body)
              const gone = method === "DELETE" ? names.find((name) => path.endsWith(name)) : undefined
              if (gone !== undefined) await run(renew(gone))
            }),
            { numRuns: Number(REJOIN_FUZZ_REQUESTS), seed: Number(REJOIN_FUZZ_SEED), endOnFailure: true }
          )
        )
        // Not all of it was refused.
        for (const status of [200, 204, 400, 403, 404, 422])
          assert.isAbove(statuses.get(status) ?? 0, 0, String(status))
        // It still serves.
        const after = yield* open
        const last = yield* client.turns.send({
          params: { id: after.id },
          payload: { input: "still there?" }
        })
        const settled = yield* client.turns.get({
          params: { id: after.id, turnId: last.id },
          query: { wait: 30 }
        })
        assert.strictEqual(settled.status, "completed")
      })
    )
  )
})
