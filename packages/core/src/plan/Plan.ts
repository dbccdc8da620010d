import type { OnLost } from "@rejoin/contracts/Config"
import * as E from "@rejoin/contracts/Errors"
import { isKnown, valueOrNull } from "@rejoin/contracts/Fact"
import type { Capabilities, RelocateWay } from "@rejoin/contracts/Provider"
import type { Moved } from "@rejoin/contracts/Thread"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { Data, Predicate } from "effect"
import type { Found, Probe, Repair } from "./Probe.ts"

/**
 * What the core knows of a history upstream: `none`, `maybe` (written before the first dispatch), `some` (proved).
 * Never derived from an adapter's flag.
 */
export type Prior = "none" | "maybe" | "some"

export interface Wanted {
  /** Realpath of a directory that exists. */
  readonly cwd: string
  readonly mode: RuntimeMode
  /** Null leaves the choice to the provider. */
  readonly model: string | null
}

/** There is no cursor to probe with: none was ever written, it was reset, or what is stored is not one (C6). */
export interface NoCursor {
  readonly _tag: "NoCursor"
}

export interface Situation {
  /** The provider instance, to name it in an error. */
  readonly provider: string
  readonly prior: Prior
  /** The user asked to start anew. */
  readonly reset: boolean
  /** The thread begins as a fork of another thread's conversation, which the probe is about. */
  readonly fork?: "whole" | "turn"
  /** Another agent is to go on with what was said; it knows nothing of it yet. */
  readonly handsOver?: "same-agent" | "other-agent"
  /** The user's own terminal has the session, and its agent still runs there. */
  readonly atTerminal: boolean
  /** It went elsewhere, and was not claimed. */
  readonly moved?: Moved
  /** What the live session runs with, if there is one. */
  readonly live?: Wanted & { readonly loads: string | null }
  /** What the session may load of its directories (`Environment.loads`). */
  readonly loads: string | null
  /** The directory in which the session was last started, for upstreams that do not tell theirs. */
  readonly boundCwd: string | null
  readonly providerSessionId: string | null
  readonly probe: Probe | NoCursor
  readonly wanted: Wanted
  readonly capabilities: Capabilities
  /** We hold a copy of the very session that the cursor names. */
  readonly transcript: boolean
  /** An earlier start may have written it back as our copy has it, and did not end. */
  readonly halfRestored?: boolean
  readonly onLost: OnLost
  /** In another store than its own it is restored too: its user asked for it, or the operator did. */
  readonly restores?: boolean
  /** Another machine has the conversation, which is gone or gave the thread up. */
  readonly away?: string
}

/** `quiesce`: the upstream still works on something; it is ended before the session is touched. */
export type Plan = Data.TaggedEnum<{
  Serve: { readonly quiesce: boolean }
  Reconfigure: { readonly quiesce: boolean }
  /** Close the live session, which cannot change in place, and adopt the upstream one anew. */
  Restart: { readonly quiesce: boolean; readonly repairs: ReadonlyArray<Repair> }
  Adopt: { readonly quiesce: boolean; readonly repairs: ReadonlyArray<Repair> }
  Relocate: { readonly way: RelocateWay; readonly quiesce: boolean; readonly repairs: ReadonlyArray<Repair> }
  Restore: {}
  /** Another agent goes on: with our copy, where it is another one of the same kind, or with one that is made for it. */
  HandOver: { readonly by: "restore" | "compose" }
  Create: {}
  /** A new session where there may have been a history: told, with the old cursor kept. */
  Replace: { readonly reason: string }
  Refuse: { readonly error: E.StartFailure }
}>
export const Plan = Data.taggedEnum<Plan>()

/**
 * The resume decision, written once for all providers. Pure and total. Laws 1 and 2 are the branches of `lost`;
 * law 3 and 4 those of `found`; whatever is inconclusive never creates.
 */
export const plan = (situation: Situation): Plan => {
  const { capabilities, probe, wanted } = situation
  if (!capabilities.runtimeModes.includes(wanted.mode)) {
    return refuse(
      new E.CapabilityMissing({
        capability: `runtimeMode:${wanted.mode}`,
        message: `This provider cannot enforce the runtime mode ${wanted.mode}.`
      })
    )
  }
  if (situation.moved !== undefined) {
    return refuse(wentElsewhere(situation.moved, situation.providerSessionId))
  }
  if (situation.atTerminal) {
    return refuse(heldAtTerminal(situation.providerSessionId))
  }
  if (situation.reset) {
    return situation.prior === "none" ? Plan.Create() : Plan.Replace({ reason: "the thread was reset" })
  }
  if (situation.handsOver !== undefined && situation.prior !== "none") return handOver(situation)
  switch (probe._tag) {
    case "Found":
      return found(situation, probe)
    case "NotFound":
      return lost(situation, "the provider no longer has the session")
    case "NoCursor":
      return lost(situation, "there is no usable cursor to the session")
    case "Inconclusive":
      return refuse(
        inconclusive("the provider's answer proves neither that the session exists nor that it is gone")
      )
    case "Ambiguous":
      return refuse(inconclusive(`several sessions match: ${probe.candidates.join(", ")}`))
    case "WrongStore":
      // Where the data directory was deleted, or made anew, no other one of the agent's holds it.
      if (
        (probe.emptied === true || situation.restores === true || situation.away !== undefined) &&
        isRestorable(situation)
      )
        return Plan.Restore()
      if (situation.away !== undefined) return refuse(machineAway(situation.away))
      return refuse(
        new E.WrongStore({
          expected: probe.expected,
          actual: probe.actual,
          message: `The conversation lives in ${probe.expected}, but the provider now works on ${probe.actual}.`,
          hint: situation.transcript
            ? "Point the provider at the data directory that holds the conversation, or have it restored here from our copy (`rejoin restore`)."
            : "Point the provider at the data directory that holds the conversation, or reset the thread."
        })
      )
    case "Corrupt":
      return refuse(
        new E.UpstreamCorrupt({
          message: "The provider's record of the session cannot be read.",
          hint: "Reset the thread to start anew; the old session stays in its lineage."
        })
      )
    case "Unavailable":
      return refuse(
        new E.ProviderUnavailable({
          provider: situation.provider,
          message: `The provider cannot be reached: ${probe.cause}`
        })
      )
  }
}

export const wentElsewhere = ({ at, to }: Moved, providerSessionId: string | null) =>
  new E.SessionHeldElsewhere({
    providerSessionId,
    message: `The conversation went ${to === null ? "elsewhere" : `to ${to}`}: it was exported on ${at.slice(0, 16).replace("T", " ")} UTC.`,
    hint: "Go on with it there. `rejoin claim` takes it back here, as it was when it went."
  })

/** Not lost: so nothing is begun anew for it, unless its user says so (law 2). */
const machineAway = (machine: string) =>
  new E.MachineAway({
    machine,
    message: `The conversation is on the machine ${machine}, which is away, and there is no copy of it.`,
    hint: "Start that machine again. A reset gives the conversation up."
  })

export const heldAtTerminal = (providerSessionId: string | null) =>
  new E.SessionHeldElsewhere({
    providerSessionId,
    message: "The conversation is open in a terminal.",
    hint: "Leave it there, then send again. `rejoin claim` takes it back where that is not noticed."
  })

const refuse = (error: E.StartFailure): Plan => Plan.Refuse({ error })

export const inconclusive = (why: string) =>
  new E.ProbeInconclusive({
    message: `Whether the conversation is still there cannot be decided: ${why}.`,
    hint: "Nothing was changed: try again when the provider answers. A reset would give up what was said."
  })

const isRestorable = ({
  capabilities,
  fork,
  prior = "some",
  transcript
}: Pick<Situation, "capabilities" | "transcript"> & Partial<Pick<Situation, "fork" | "prior">>): boolean =>
  transcript && capabilities.restore && fork === undefined && prior !== "none"

const handOver = (situation: Situation): Plan => {
  if (situation.handsOver === "same-agent" && isRestorable(situation)) return Plan.HandOver({ by: "restore" })
  if (situation.capabilities.compose) return Plan.HandOver({ by: "compose" })
  return refuse(
    new E.CapabilityMissing({
      capability: "compose",
      message: `${situation.provider} cannot be given a conversation that was held with another agent.`
    })
  )
}

/** The upstream session is not there, or not to be found again. */
const lost = (
  { capabilities, fork, onLost, prior, providerSessionId, transcript }: Situation,
  why: string
): Plan => {
  if (prior === "none") return Plan.Create()
  if (fork !== undefined) {
    return refuse(
      new E.UpstreamLost({
        providerSessionId,
        message: `The conversation cannot be forked: ${why}.`,
        hint: "Reset the thread to start anew, or open another one."
      })
    )
  }
  if (isRestorable({ capabilities, transcript })) return Plan.Restore()
  if (prior === "maybe" || onLost === "replace") return Plan.Replace({ reason: why })
  return refuse(
    new E.UpstreamLost({
      providerSessionId,
      message: `The conversation cannot be continued: ${why}.`,
      hint: "Reset the thread to start anew; the old session stays in its lineage."
    })
  )
}

/** A fork of another thread's conversation: that one is only read. A copy is always of the whole. */
const forked = ({ capabilities, wanted }: Situation, fork: "whole" | "turn", probe: Found): Plan => {
  const way = capabilities.relocate.find(
    (way) => (way === "fork" || (way === "copy" && fork === "whole")) && (probe.ways?.includes(way) ?? true)
  )
  if (way !== undefined) return Plan.Relocate({ way, quiesce: false, repairs: probe.repairs })
  return refuse(
    new E.RelocationUnsupported({
      from: valueOrNull(probe.directory),
      to: wanted.cwd,
      message: `This provider cannot fork the conversation into ${wanted.cwd}.`,
      hint: "Fork it in its own directory, or as a whole."
    })
  )
}

/** The history does not contain our mark. */
export const missesMark = (probe: Probe | NoCursor): probe is Found & { history: "behind" | "diverged" } =>
  probe._tag === "Found" && (probe.history === "behind" || probe.history === "diverged")

const found = (situation: Situation, probe: Found): Plan => {
  const { boundCwd, capabilities, live, wanted } = situation
  if (probe.holder === "other") {
    return refuse(
      new E.SessionHeldElsewhere({
        providerSessionId: situation.providerSessionId,
        message: "Another process works on this session.",
        hint: "Close it there, then send again."
      })
    )
  }
  // What stands there may be our own half restore, from a copy that ends before the last turn: it is made whole, and told.
  if (missesMark(probe) && situation.halfRestored === true && isRestorable(situation)) return Plan.Restore()
  if (missesMark(probe)) {
    return refuse(
      new E.HistoryMismatch({
        found: probe.history,
        message: "The provider's session does not contain the last message of this thread.",
        hint: "Somebody undid or replaced it in the agent's own interface. Go on from what is there now (`rejoin accept-history`, or on the page), or reset the thread to start anew."
      })
    )
  }
  if (situation.fork !== undefined) return forked(situation, situation.fork, probe)
  const quiesce = probe.activity !== "idle"
  if (quiesce && !capabilities.interrupt) {
    return refuse(inconclusive("the provider is busy with the session and cannot be interrupted"))
  }
  const { repairs } = probe
  // Where the upstream does not tell its directory, it is where we last started it.
  const directory = probe.pinned ?? (isKnown(probe.directory) ? probe.directory.value : boundCwd)
  const placeless = "unknown" in probe.directory && probe.directory.unknown === "not-applicable"
  if (directory !== wanted.cwd && !placeless) {
    const way = capabilities.relocate.find((way) => probe.ways?.includes(way) ?? true)
    return way === undefined
      ? refuse(
          new E.RelocationUnsupported({
            from: directory,
            to: wanted.cwd,
            message: `The conversation lives in ${directory ?? "an unknown directory"} and cannot be carried to ${wanted.cwd}.`,
            hint: "Use the original directory, or reset the thread to start anew here."
          })
        )
      : Plan.Relocate({ way, quiesce, repairs })
  }
  if (live === undefined) return Plan.Adopt({ quiesce, repairs })
  // What a process has loaded stays in it.
  const stale = live.cwd !== wanted.cwd || live.loads !== situation.loads
  if (repairs.length > 0 || stale) return Plan.Restart({ quiesce, repairs })
  const mode = isKnown(probe.mode) ? probe.mode.value : live.mode
  const model = isKnown(probe.model) ? probe.model.value : live.model
  // Both what is in force upstream and what the live session goes by: it answers in the mode that it knows.
  const modes = mode === wanted.mode && live.mode === wanted.mode
  const models = Predicate.isNull(wanted.model) || (model === wanted.model && live.model === wanted.model)
  const configured = modes && models
  if (configured) return Plan.Serve({ quiesce })
  return capabilities.reconfigure ? Plan.Reconfigure({ quiesce }) : Plan.Restart({ quiesce, repairs })
}
