import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { sseFrames } from "./ServerSentEvents.ts"

const text =
  'id: 1\nevent: a\ndata: {"x":1}\n\n: heartbeat\n\nevent: b\ndata: two\ndata: lines\n\nid: 3\ndata: half'

describe("server-sent events", () => {
  for (const size of [1, 2, 7, 1000]) {
    it.effect(`are read whatever way they come in pieces (${size})`, () =>
      Effect.gen(function* () {
        const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? []
        const frames = yield* Stream.runCollect(sseFrames(Stream.fromIterable(pieces)))
        assert.deepEqual(frames, [
          { id: "1", event: "a", data: '{"x":1}' },
          { id: undefined, event: "b", data: "two\nlines" }
        ])
      })
    )
  }
})
