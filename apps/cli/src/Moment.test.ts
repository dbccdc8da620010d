import { assert, describe, it } from "@effect/vitest"
import { momentOf } from "./Moment.ts"

const now = new Date(2026, 5, 1, 12, 30, 15)
const local = (day: number, hours: number, minutes: number) => new Date(2026, 5, day, hours, minutes)

describe("U1: the moment that is meant by", () => {
  it("an hour is the next one: today's, or tomorrow's where it is past or now", () => {
    assert.deepEqual(momentOf("13:00", now), local(1, 13, 0))
    assert.deepEqual(momentOf("9:05", now), local(2, 9, 5))
    assert.deepEqual(momentOf("12:30", now), local(2, 12, 30))
  })

  it("a date and an hour is that of this place, or of the offset that it has", () => {
    assert.deepEqual(momentOf("2026-06-03T08:00", now), local(3, 8, 0))
    assert.deepEqual(momentOf("2026-06-03 08:00", now), local(3, 8, 0))
    assert.strictEqual(momentOf("2026-06-03T08:00:00+02:00", now)?.toISOString(), "2026-06-03T06:00:00.000Z")
    assert.strictEqual(momentOf("2026-06-03T08:00Z", now)?.toISOString(), "2026-06-03T08:00:00.000Z")
  })

  it("a time from now is so much later", () => {
    assert.strictEqual(momentOf("+90m", now)?.getTime(), now.getTime() + 90 * 60_000)
    assert.strictEqual(momentOf("+2h", now)?.getTime(), now.getTime() + 2 * 3_600_000)
    assert.strictEqual(momentOf("+1d", now)?.getTime(), now.getTime() + 86_400_000)
  })

  it("anything else is none", () => {
    for (const text of [
      "",
      "25:00",
      "9",
      "soon",
      "09:60",
      "+1",
      "+2w",
      "2026-13-40T10:00",
      "2026-06-03",
      "-1h",
      "1e3",
      "2026-02-30T10:00",
      "2026-05-01T10:00",
      "2028-01-01T00:00",
      "+0m",
      "+999d"
    ])
      assert.isUndefined(momentOf(text, now), text)
  })
})
