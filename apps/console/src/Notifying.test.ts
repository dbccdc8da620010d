import { assert, describe, it } from "@effect/vitest"
import type { Thread } from "@rejoin/contracts/Thread"
import { news } from "./Notifying.ts"

const thread = (change: {
  readonly state?: string
  readonly status?: string
  readonly pendingRequests?: number
}) =>
  ({
    id: "thr_1",
    title: "a title",
    status: change.status ?? "done",
    pendingRequests: change.pendingRequests ?? 0,
    session: { state: change.state ?? "ready" }
  }) as unknown as Thread

describe("U3: what waits or is done is told, each once", () => {
  it("a turn that ends, one that fails, one that asks; and nothing else", () => {
    const bodies = (before: Thread, now: Thread) => news([before], [now]).map(({ body }) => body)
    const works = thread({ state: "running" })
    assert.deepEqual(bodies(works, thread({})), ["The turn has ended."])
    assert.deepEqual(bodies(works, thread({ status: "error" })), ["The turn failed."])
    assert.deepEqual(bodies(works, thread({ state: "waiting", pendingRequests: 1 })), [
      "The agent needs your approval."
    ])
    assert.deepEqual(bodies(works, works), [])
    assert.deepEqual(bodies(thread({}), thread({})), [])
    assert.deepEqual(news([], [thread({})]), [])
  })
})
