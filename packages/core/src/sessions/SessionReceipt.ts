import * as E from "@rejoin/contracts/Errors"
import { type Fact, isKnown, known, valueOrNull } from "@rejoin/contracts/Fact"
import type { Check, Receipt, ResumeOutcome, Verification } from "@rejoin/contracts/Receipt"
import type { Timestamp } from "@rejoin/contracts/Time"
import type { Plan, Wanted } from "../plan/Plan.ts"
import type { History } from "../plan/Probe.ts"
import type { Verified } from "../providers/ProviderAdapter.ts"

/** What a plan that was carried out is called. */
export const outcomeOf = (plan: Plan): ResumeOutcome => {
  switch (plan._tag) {
    case "Create":
      return "created"
    case "Replace":
      return "replaced"
    case "HandOver":
      return "handed-over"
    case "Restore":
      return "rehydrated"
    case "Refuse":
      return "refused"
    case "Relocate":
      return plan.way === "move" ? "moved" : plan.way === "adopt" ? "adopted" : "forked"
    case "Adopt":
    case "Reconfigure":
    case "Restart":
    case "Serve":
      return "adopted"
  }
}

const contains = (history: History) => history === "same" || history === "ahead"

const historyFact = (history: History): Fact<string> =>
  history === "unknown" ? { unknown: "not-told" } : known(history, "store")

export const checksOf = (wanted: Wanted, verified: Verified, at: Timestamp): ReadonlyArray<Check> => [
  { what: "cwd", asked: wanted.cwd, found: verified.directory, stage: "start", at },
  { what: "mode", asked: wanted.mode, found: verified.mode, stage: "start", at },
  { what: "model", asked: wanted.model, found: verified.model, stage: "start", at },
  { what: "history", asked: null, found: historyFact(verified.history), stage: "start", at }
]

const contradicts = (check: Check): boolean => {
  if (!isKnown(check.found)) return false
  if (check.what === "history") return !contains(check.found.value as History)
  return check.asked !== null && check.asked !== check.found.value
}

/** A fact that was not known yet at the start may come at the submit or at the first tool. */
export const verificationOf = (checks: ReadonlyArray<Check>): Verification => {
  if (checks.some(contradicts)) return "failed"
  const answered = new Set(checks.filter(({ found }) => isKnown(found)).map(({ what }) => what))
  return checks.some(
    ({ found, what }) => !answered.has(what) && "unknown" in found && found.unknown === "not-yet"
  )
    ? "pending"
    : "complete"
}

/** The receipt with one more check; what was read back only now completes it. */
export const withCheck = (receipt: Receipt, check: Check): Receipt => {
  const checks = [...receipt.checks, check]
  return {
    ...receipt,
    checks,
    verification: verificationOf(checks),
    cwdVerified:
      check.what === "cwd" ? (valueOrNull(check.found) ?? receipt.cwdVerified) : receipt.cwdVerified,
    runtimeModeVerified:
      check.what === "mode" && isKnown(check.found) && check.found.value === receipt.runtimeModeRequested
        ? receipt.runtimeModeRequested
        : receipt.runtimeModeVerified
  }
}

/** Why a started session must not be used, if so: laws 1, 3 and 4 as they were read back (C29). */
export const mismatch = (
  wanted: Wanted,
  verified: Verified,
  continues: boolean
): E.DirectoryMismatch | E.PermissionMismatch | E.HistoryMismatch | undefined => {
  const { directory, history, mode, model } = verified
  if (isKnown(directory) && directory.value !== wanted.cwd) {
    return directoryMismatch(wanted.cwd, directory.value)
  }
  if (isKnown(mode) && mode.value !== wanted.mode) {
    return permissionMismatch(wanted.mode, mode.value)
  }
  if (wanted.model !== null && isKnown(model) && model.value !== wanted.model) {
    return permissionMismatch(`model ${wanted.model}`, `model ${model.value}`)
  }
  if (continues && history !== "unknown" && !contains(history)) {
    return new E.HistoryMismatch({
      found: history,
      message: "The session that came back does not contain the last message of this thread."
    })
  }
  return undefined
}

export const directoryMismatch = (asked: string, found: string) =>
  new E.DirectoryMismatch({
    asked,
    found,
    message: `The session should work in ${asked}, but the provider has it in ${found}.`
  })

export const permissionMismatch = (asked: string, found: string) =>
  new E.PermissionMismatch({
    asked,
    found,
    message: `The session should run with ${asked}, but the provider has it with ${found}.`
  })
