import type { Fact } from "@rejoin/contracts/Fact"
import type { RelocateWay } from "@rejoin/contracts/Provider"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { Data } from "effect"

/**
 * The upstream's history against our mark, the last message of ours known to be there. `same` and `ahead` contain
 * it; `behind` and `diverged` do not; `unknown` where there is no mark or the upstream does not tell.
 */
export type History = "same" | "ahead" | "behind" | "diverged" | "unknown"

/** The mode that is in force upstream; `other` where the rules there are none of ours. */
export type ModeFound = RuntimeMode | "other"

/** What must be mended at the upstream before the session can be adopted, and can be mended without loss. */
export type Repair = "reindex" | "unarchive" | "reload"

/** What the upstream says of the session that a cursor points at. A probe creates and changes nothing. */
export type Probe = Data.TaggedEnum<{
  Found: {
    readonly directory: Fact<string>
    /** A directory to which the upstream binds the session wherever it is started. */
    readonly pinned?: string
    readonly mode: Fact<ModeFound>
    readonly model: Fact<string>
    readonly history: History
    /** How many messages of a person's came after our mark, where that is told: said in the agent's own interface. */
    readonly ahead?: number
    readonly activity: "idle" | "running" | "waiting"
    /** Who else works on the session now. */
    readonly holder: "none" | "ours" | "other" | "unknown"
    readonly repairs: ReadonlyArray<Repair>
    /** Which ways lead from where it is to the wanted directory; absent where all that the version has do. */
    readonly ways?: ReadonlyArray<RelocateWay>
  }
  /** Absence that is corroborated: a structured answer, about this id, from the store that the cursor names. */
  NotFound: { readonly evidence: unknown }
  Inconclusive: { readonly evidence: unknown }
  Ambiguous: { readonly candidates: ReadonlyArray<string> }
  /** `emptied`: it is at the place of the one that is expected, and what was there is gone. */
  WrongStore: { readonly expected: string; readonly actual: string; readonly emptied?: boolean }
  Corrupt: { readonly evidence: unknown }
  Unavailable: { readonly cause: string }
}>
export const Probe = Data.taggedEnum<Probe>()

export type Found = Data.TaggedEnum.Value<Probe, "Found">

/** Some absences show only in the act: a primitive fails with the probe it has become, and the plan is made anew. */
export class ProbeFailure extends Data.TaggedError("ProbeFailure")<{ readonly probe: Probe }> {}
