import { assert, describe, it } from "@effect/vitest"
import { quietFor } from "./QuietHours.ts"

const hours = { from: "22:00", to: "07:00", zone: "Europe/Berlin" }
const minutes = (at: string, of = hours) => quietFor(of, Date.parse(at)) / 60_000

describe("U3: quiet hours", () => {
  it("go from the evening to the morning of their place, and are over then", () => {
    assert.strictEqual(minutes("2026-01-10T20:59:00Z"), 0)
    assert.strictEqual(minutes("2026-01-10T21:00:00Z"), 9 * 60)
    assert.strictEqual(minutes("2026-01-11T00:30:00Z"), 5 * 60 + 30)
    assert.strictEqual(minutes("2026-01-11T05:59:30Z"), 0.5)
    assert.strictEqual(minutes("2026-01-11T06:00:00Z"), 0)
    // In summer their place is another hour away.
    assert.strictEqual(minutes("2026-07-10T20:00:00Z"), 9 * 60)
  })

  it("can lie within a day, and are none where both ends are one", () => {
    const noon = { from: "12:00", to: "13:30", zone: "UTC" }
    assert.strictEqual(minutes("2026-01-10T11:59:59Z", noon), 0)
    assert.strictEqual(minutes("2026-01-10T12:30:00Z", noon), 60)
    assert.strictEqual(minutes("2026-01-10T13:30:00Z", noon), 0)
    assert.strictEqual(minutes("2026-01-10T12:00:00Z", { ...noon, to: "12:00" }), 0)
  })

  it("end when they end, whatever the clocks do in that night", () => {
    let at = Date.parse("2026-03-28T21:00:00Z")
    for (let wait = quietFor(hours, at); wait > 0; wait = quietFor(hours, at)) at += Math.min(wait, 60_000)
    assert.strictEqual(new Date(at).toISOString(), "2026-03-29T05:00:00.000Z")
  })
})
