import { assert, describe, it } from "@effect/vitest"
import { known, unknown } from "@rejoin/contracts/Fact"
import type { Capabilities } from "@rejoin/contracts/Provider"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { type NoCursor, plan, type Situation, type Wanted } from "./Plan.ts"
import { Probe } from "./Probe.ts"

const wanted: Wanted = { cwd: "/a", mode: "approval-required", model: null }
const modes = ["read-only", "approval-required", "auto-accept-edits", "full-access"] as const
const full: Capabilities = {
  runtimeModes: [...modes],
  relocate: ["fork", "copy"],
  reconfigure: true,
  steer: true,
  interrupt: true,
  fork: ["whole", "turn"],
  restore: true,
  compose: true,
  additionalDirectories: true,
  systemPrompt: true,
  terminal: true
}
const bare: Capabilities = { ...full, relocate: [], reconfigure: false, interrupt: false, restore: false }

const found = {
  directory: known("/a", "store"),
  mode: known<RuntimeMode>("approval-required", "store"),
  model: unknown("not-told"),
  history: "same",
  activity: "idle",
  holder: "unknown",
  repairs: []
} as const

const histories = ["same", "ahead", "behind", "diverged", "unknown"] as const
const directories = [
  known("/a", "store"),
  known("/b", "store"),
  unknown("not-told"),
  unknown("not-yet"),
  unknown("not-applicable")
]
const probes: ReadonlyArray<Probe | NoCursor> = [
  { _tag: "NoCursor" },
  Probe.NotFound({ evidence: 404 }),
  Probe.Inconclusive({ evidence: 500 }),
  Probe.Ambiguous({ candidates: ["a", "b"] }),
  Probe.WrongStore({ expected: "x", actual: "y" }),
  Probe.Corrupt({ evidence: "garbage" }),
  Probe.Unavailable({ cause: "ECONNREFUSED" }),
  ...histories.flatMap((history) =>
    directories.flatMap((directory) =>
      (["idle", "running"] as const).flatMap((activity) =>
        (["none", "ours", "other", "unknown"] as const).flatMap((holder) =>
          (["approval-required", "full-access"] as const).flatMap((mode) =>
            [[], ["reload" as const]].map((repairs) =>
              Probe.Found({
                ...found,
                history,
                directory,
                activity,
                holder,
                repairs,
                mode: known(mode, "store")
              })
            )
          )
        )
      )
    )
  )
]

const situations: ReadonlyArray<Situation> = probes.flatMap((probe) =>
  (["none", "maybe", "some"] as const).flatMap((prior) =>
    [undefined, wanted, { ...wanted, cwd: "/b" }, { ...wanted, mode: "full-access" as const }].flatMap(
      (live) =>
        ["/a", "/b"].flatMap((boundCwd) =>
          [full, bare].flatMap((capabilities) =>
            [true, false].flatMap((transcript) =>
              (["replace", "refuse"] as const).map((onLost) => ({
                provider: "memory",
                prior,
                reset: false,
                atTerminal: false,
                ...(live && { live: { ...live, loads: null } }),
                loads: null,
                boundCwd,
                providerSessionId: "s1",
                probe,
                wanted,
                capabilities,
                transcript,
                onLost
              }))
            )
          )
        )
    )
  )
)

/** Every situation that is meant must hold; what does not is shown. */
const each = (
  where: (s: Situation) => boolean,
  holds: (s: Situation, tag: string, error: string | undefined) => boolean
) => {
  const chosen = situations.filter(where)
  const violations = chosen.flatMap((situation) => {
    const decision = plan(situation)
    const error = decision._tag === "Refuse" ? decision.error._tag : undefined
    return holds(situation, decision._tag, error) ? [] : [{ situation, decision }]
  })
  assert.deepEqual(violations.slice(0, 3), [])
  assert.isAbove(chosen.length, 0)
}
const isAbsent = ({ probe }: Situation) => probe._tag === "NotFound" || probe._tag === "NoCursor"

describe("plan, over every probe × prior × live × directory × mode × capabilities × transcript × onLost", () => {
  it("law 2: creates only where nothing can be lost", () => {
    each(
      () => true,
      (s, tag) => tag !== "Create" || (s.prior === "none" && isAbsent(s))
    )
  })

  it("law 1: a history that is gone is restored, replaced visibly, or refused", () => {
    each(
      (s) => isAbsent(s) && s.prior !== "none",
      (s, tag, error) => {
        if (s.transcript && s.capabilities.restore) return tag === "Restore"
        return s.prior === "maybe" || s.onLost === "replace" ? tag === "Replace" : error === "UpstreamLost"
      }
    )
  })

  it("C9, C33: whatever is inconclusive is an error and never creates, not even with nothing to lose", () => {
    const errors: Record<string, string> = {
      Inconclusive: "ProbeInconclusive",
      Ambiguous: "ProbeInconclusive",
      WrongStore: "WrongStore",
      Corrupt: "UpstreamCorrupt",
      Unavailable: "ProviderUnavailable"
    }
    each(
      ({ probe }) => probe._tag in errors,
      (s, _, error) => error === errors[s.probe._tag]
    )
  })

  it("N2: in the place of a store that is gone it is restored; in another one only where that is asked for", () => {
    const emptied = Probe.WrongStore({ expected: "x", actual: "y", emptied: true })
    const other = Probe.WrongStore({ expected: "x", actual: "y" })
    for (const situation of situations.filter(({ probe }) => probe._tag === "NotFound")) {
      const held = situation.transcript && situation.capabilities.restore && situation.prior !== "none"
      const tagOf = (probe: Probe, restores: boolean) => plan({ ...situation, probe, restores })._tag
      assert.strictEqual(tagOf(emptied, false), held ? "Restore" : "Refuse")
      assert.strictEqual(tagOf(other, false), "Refuse")
      assert.strictEqual(tagOf(other, true), held ? "Restore" : "Refuse")
    }
  })

  it("W11, W14: what our own half restore left behind is restored; any other that misses our mark is refused", () => {
    for (const situation of situations.filter(
      ({ probe }) => probe._tag === "Found" && probe.holder !== "other"
    )) {
      const { capabilities, prior, probe, transcript } = situation
      const misses = probe._tag === "Found" && (probe.history === "behind" || probe.history === "diverged")
      const made = plan({ ...situation, halfRestored: true })._tag
      const restores = misses && transcript && capabilities.restore && prior !== "none"
      assert.strictEqual(made === "Restore", restores)
      if (misses && !restores) assert.strictEqual(made, "Refuse")
    }
  })

  it("N5: another agent is given what was said, or it is refused; nothing that was said is begun anew without it", () => {
    for (const situation of situations.filter(({ probe }) => probe._tag === "NoCursor")) {
      const { capabilities, prior, transcript } = situation
      const tagOf = (handsOver: "same-agent" | "other-agent", compose: boolean) => {
        const made = plan({ ...situation, handsOver, capabilities: { ...capabilities, compose } })
        return made._tag === "HandOver" ? made.by : made._tag
      }
      const restores = transcript && capabilities.restore
      const nothing = prior === "none" ? "Create" : undefined
      assert.strictEqual(tagOf("other-agent", true), nothing ?? "compose")
      assert.strictEqual(tagOf("other-agent", false), nothing ?? "Refuse")
      assert.strictEqual(tagOf("same-agent", true), nothing ?? (restores ? "restore" : "compose"))
      assert.strictEqual(tagOf("same-agent", false), nothing ?? (restores ? "restore" : "Refuse"))
      const moved = { at: "2026-11-27T00:00:00.000Z" as never, to: null }
      const elsewhere = plan({ ...situation, moved, handsOver: "other-agent" })
      assert.strictEqual(elsewhere._tag, "Refuse", "W13")
    }
  })

  it("a session that is found is never created, replaced or restored over", () => {
    const kept = new Set(["Serve", "Reconfigure", "Restart", "Adopt", "Relocate", "Refuse"])
    each(
      ({ probe }) => probe._tag === "Found",
      (_, tag) => kept.has(tag)
    )
  })

  it("N1: an upstream that does not contain our mark is refused", () => {
    each(
      ({ probe }) =>
        probe._tag === "Found" && probe.holder !== "other" && ["behind", "diverged"].includes(probe.history),
      (_, __, error) => error === "HistoryMismatch"
    )
  })

  it("law 5: a session that another process works on is refused", () => {
    each(
      ({ probe }) => probe._tag === "Found" && probe.holder === "other",
      (_, __, error) => error === "SessionHeldElsewhere"
    )
  })

  const healthy = ({ probe }: Situation) =>
    probe._tag === "Found" && probe.holder !== "other" && ["same", "ahead", "unknown"].includes(probe.history)
  const calm = (s: Situation) =>
    s.capabilities.interrupt || (s.probe._tag === "Found" && s.probe.activity === "idle")
  const placeOf = (s: Situation) => {
    if (s.probe._tag !== "Found") return undefined
    const { directory } = s.probe
    if ("value" in directory) return directory.value
    return directory.unknown === "not-applicable" ? s.wanted.cwd : s.boundCwd
  }

  it("law 5: while the user's own terminal has the session, nothing is started, whatever the upstream says", () => {
    for (const situation of situations.filter(({ onLost }) => onLost === "replace")) {
      const decision = plan({ ...situation, atTerminal: true })
      assert.strictEqual(decision._tag, "Refuse")
      if (decision._tag === "Refuse") assert.strictEqual(decision.error._tag, "SessionHeldElsewhere")
    }
  })

  it("law 3, C12: another directory is reached by a way that the version has, or refused", () => {
    each(
      (s) => healthy(s) && calm(s) && placeOf(s) === "/b",
      (s, tag, error) => (s.capabilities === full ? tag === "Relocate" : error === "RelocationUnsupported")
    )
  })

  it("C4: the same directory and no live session adopts", () => {
    each(
      (s) => healthy(s) && calm(s) && placeOf(s) === "/a" && !s.live,
      (_, tag) => tag === "Adopt"
    )
  })

  it("law 4, C27: a live session serves only in the wanted directory and mode, as the upstream tells them", () => {
    each(
      (s) => healthy(s) && calm(s) && placeOf(s) === "/a" && s.live !== undefined,
      (s, tag) => {
        const probe = s.probe._tag === "Found" ? s.probe : undefined
        const mode = probe && "value" in probe.mode ? probe.mode.value : undefined
        if ((probe?.repairs.length ?? 0) > 0 || s.live?.cwd !== "/a") return tag === "Restart"
        if (mode === wanted.mode && s.live?.mode === wanted.mode) return tag === "Serve"
        return tag === (s.capabilities === full ? "Reconfigure" : "Restart")
      }
    )
  })

  it("busy upstream work is ended first, or refused where it cannot be", () => {
    each(
      (s) => healthy(s) && s.probe._tag === "Found" && s.probe.activity === "running",
      (s, tag, error) => {
        if (!s.capabilities.interrupt) return error === "ProbeInconclusive"
        const decision = plan(s)
        return tag === "Refuse" || ("quiesce" in decision && decision.quiesce)
      }
    )
  })

  it("a reset starts anew whatever the upstream says, and tells of what it leaves", () => {
    const expected = (s: Situation) => (s.prior === "none" ? "Create" : "Replace")
    assert.isTrue(situations.every((s) => plan({ ...s, reset: true })._tag === expected(s)))
  })

  it("a mode that the provider cannot enforce is refused, in every situation", () => {
    const runtimeModes = ["full-access"] as const
    const violation = situations.find((s) => {
      const decision = plan({ ...s, capabilities: { ...s.capabilities, runtimeModes } })
      return !(decision._tag === "Refuse" && decision.error._tag === "CapabilityMissing")
    })
    assert.isUndefined(violation)
  })

  it("a pinned session is where it is pinned, whatever directory it tells", () => {
    const pinned = Probe.Found({ ...found, pinned: "/pinned" })
    const base = situations.find((s) => s.capabilities === full && !s.live)
    assert.isDefined(base)
    if (base) assert.strictEqual(plan({ ...base, probe: pinned })._tag, "Relocate")
  })

  it("only the ways that lead to the wanted directory are taken, in the version's order", () => {
    const base = situations.find((s) => s.capabilities === full && !s.live)
    const at = (ways: ReadonlyArray<"fork" | "copy">) =>
      base && plan({ ...base, probe: Probe.Found({ ...found, directory: known("/b", "store"), ways }) })
    assert.deepInclude(at(["copy"]), { _tag: "Relocate", way: "copy" })
    assert.deepInclude(at(["copy", "fork"]), { _tag: "Relocate", way: "fork" })
    assert.strictEqual(at([])?._tag, "Refuse")
  })
})
