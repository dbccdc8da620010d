import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { Record } from "effect"
import type { Powers } from "./CodexSchema.ts"

interface Mode {
  /** Of Codex's own sandboxes, or undefined where nothing is kept from the agent. */
  readonly profile: "rejoin_ro" | "rejoin_ww" | undefined
  readonly approvalPolicy: "never" | "on-request"
  /** As Codex tells it. */
  readonly type: "readOnly" | "workspaceWrite" | "dangerFullAccess"
}

/** Each mode as it was measured with write attempts (docs/providers/codex.md: Permissions). */
const modes: Readonly<Record<RuntimeMode, Mode>> = {
  "read-only": { profile: "rejoin_ro", approvalPolicy: "never", type: "readOnly" },
  "approval-required": { profile: "rejoin_ro", approvalPolicy: "on-request", type: "readOnly" },
  "auto-accept-edits": { profile: "rejoin_ww", approvalPolicy: "on-request", type: "workspaceWrite" },
  "full-access": { profile: undefined, approvalPolicy: "never", type: "dangerFullAccess" }
}

/**
 * The sandboxes, for the server's own process. A rule of the user's that allows a command makes Codex run it outside
 * of any sandbox, in every mode; with a path that may not even be read it never leaves the sandbox by itself.
 */
export const profiles = {
  // Must be there as soon as there is a profile.
  default_permissions: `":read-only"`,
  "permissions.rejoin_ro": `{extends=":read-only",filesystem={"/nonexistent-rejoin"="deny"}}`,
  "permissions.rejoin_ww": `{extends=":workspace",filesystem={"/nonexistent-rejoin"="deny",":slash_tmp"="read",":tmpdir"="read"}}`
}

const reviewed = { approvalsReviewer: "user" }

/** What every start, resume and fork is sent: what is left out falls back to something else. */
export const powersOf = (mode: RuntimeMode) => {
  const { approvalPolicy, profile } = modes[mode]
  const sandbox = profile === undefined ? { sandbox: "danger-full-access" } : { permissions: profile }
  return { ...sandbox, approvalPolicy, ...reviewed }
}

/** The same, as an update of a thread's settings takes it. */
export const settingsOf = (mode: RuntimeMode) => {
  const { approvalPolicy, profile } = modes[mode]
  const sandbox =
    profile === undefined ? { sandboxPolicy: { type: "dangerFullAccess" } } : { permissions: profile }
  return { ...sandbox, approvalPolicy, ...reviewed }
}

/** The same for the user's own terminal, as its command takes it. */
export const terminalPowersOf = (mode: RuntimeMode): ReadonlyArray<string> => {
  const { approvalPolicy, profile } = modes[mode]
  if (profile === undefined) return ["-s", "danger-full-access", "-a", approvalPolicy]
  const config = { ...profiles, default_permissions: JSON.stringify(profile) }
  return [
    ...Object.entries(config).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
    "-a",
    approvalPolicy
  ]
}

/** The mode that these powers are; `other` where they are none of ours, or somebody else answers what is asked. */
export const modeOf = (powers: Powers): RuntimeMode | "other" => {
  const { activePermissionProfile, approvalPolicy, approvalsReviewer, sandbox } = powers
  if (approvalsReviewer !== undefined && approvalsReviewer !== null && approvalsReviewer !== "user")
    return "other"
  if (sandbox.type !== "dangerFullAccess" && sandbox.networkAccess !== false) return "other"
  const found = Record.toEntries(modes).find(
    ([, mode]) =>
      mode.type === sandbox.type &&
      mode.approvalPolicy === approvalPolicy &&
      mode.profile === activePermissionProfile?.id
  )
  return found?.[0] ?? "other"
}
