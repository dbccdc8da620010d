import { assert, describe, it } from "@effect/vitest"
import type { RuntimeEvent } from "@rejoin/contracts/RuntimeEvent"
import { ThreadId } from "@rejoin/contracts/Ids"
import { Outbox } from "./Outbox.ts"

const event = (position: number): RuntimeEvent => ({
  position,
  seq: position,
  type: "warning",
  threadId: ThreadId.make("t1"),
  generation: 1,
  at: "2026-01-01T00:00:00.000Z" as RuntimeEvent["at"],
  data: {}
})

describe("what is committed, on its way to the readers", () => {
  it("is told in its order, and not before everything earlier is on the disk", () => {
    const told: Array<number> = []
    const outbox = new Outbox((events) => void told.push(...events.map(({ position }) => position)))
    const first = outbox.add([event(1), event(2)])
    const second = outbox.add([event(3)])
    const third = outbox.add([])
    const fourth = outbox.add([event(4)])
    second()
    third()
    assert.deepEqual(told, [])
    first()
    assert.deepEqual(told, [1, 2, 3])
    fourth()
    assert.deepEqual(told, [1, 2, 3, 4])
  })
})
