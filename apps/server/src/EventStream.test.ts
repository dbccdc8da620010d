import { assert, describe, it } from "@effect/vitest"
import { memory } from "@rejoin/core/testing/World"
import { Effect, Stream } from "effect"
import { bearer, json, live } from "./testing/Served.ts"

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
