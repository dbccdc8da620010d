import type { DirectoryMismatch, PermissionMismatch } from "@rejoin/contracts/Errors"
import { known } from "@rejoin/contracts/Fact"
import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { AdapterEvent } from "@rejoin/core/providers/AdapterEvent"
import { directoryMismatch, permissionMismatch } from "@rejoin/core/sessions/SessionReceipt"
import { isWithin } from "@rejoin/core/threads/Within"
import { Predicate } from "effect"
import { isOwnEdit, realOf } from "@rejoin/agent-kit/RealPath"
import { resolve } from "node:path"
import { modeOf, verdictOf } from "./ClaudeModes.ts"
import type { HookInput } from "./ClaudeSchema.ts"

// Without this a hook that gets no answer, or a wrong one, lets the tool run. Seconds.
const closed = { onFailure: "block", timeout: 60 }

/** The hooks by which Claude asks us before each prompt and before each tool, sub-agents' tools included. */
export const hooks = {
  UserPromptSubmit: [{ hookCallbackIds: ["prompt"], ...closed }],
  PreToolUse: [{ hookCallbackIds: ["tool"], ...closed }]
}

export type Mismatch = DirectoryMismatch | PermissionMismatch

export interface GateAnswer {
  /** Why it is blocked, where it is. */
  readonly mismatch?: Mismatch
  /** What was read at the gate, for the receipt; what contradicts quarantines the session. */
  readonly events: ReadonlyArray<AdapterEvent>
  readonly answer: Readonly<Record<string, unknown>>
}

const verdict = (permissionDecision: "ask" | "deny", reason: string) => ({
  hookSpecificOutput: {
    hookEventName: "PreToolUse",
    permissionDecision,
    permissionDecisionReason: reason
  }
})

/**
 * Laws 3 and 4 at the last moment at which they can be kept: before a model is asked and before a tool runs. What
 * does not match is blocked here, whatever else is allowed.
 */
export class ClaudeGate {
  readonly directory: string
  readonly mode: RuntimeMode
  private readonly beside: ReadonlyArray<string>
  /** An agent changes its shell's directory by itself, and Claude tells that one then. */
  private worked = false

  constructor(directory: string, mode: RuntimeMode, beside: ReadonlyArray<string> = []) {
    this.directory = directory
    this.mode = mode
    this.beside = beside
  }

  ask(input: HookInput): GateAnswer {
    const isTool = input.hook_event_name === "PreToolUse"
    const stage = isTool ? "tool" : "submit"
    const events: Array<AdapterEvent> = []
    // A sub-agent has a mode of its own, which is not the session's: each of its tools comes by here all the same.
    const isOwn = input.agent_id === undefined && input.permission_mode !== undefined
    const mode = isOwn ? modeOf(input.permission_mode) : undefined
    if (mode !== undefined) {
      events.push(AdapterEvent.Checked({ what: "mode", stage, found: known(mode, "hook") }))
    }
    // Elsewhere before any tool has run is not where we started it; after one, the agent went there itself.
    const within = isWithin(this.directory, input.cwd)
    if (within || !this.worked) {
      const found = known(within ? this.directory : input.cwd, "hook")
      events.push(AdapterEvent.Checked({ what: "cwd", stage, found }))
    }
    const wrong = (mode !== undefined && mode !== this.mode) || (!within && !this.worked)
    if (isTool) this.worked = true
    if (wrong) {
      const mismatch =
        mode !== undefined && mode !== this.mode
          ? permissionMismatch(this.mode, mode)
          : directoryMismatch(this.directory, input.cwd)
      const reason = `Blocked: ${mismatch.message}`
      return { events, mismatch, answer: isTool ? verdict("deny", reason) : { decision: "block", reason } }
    }
    return { events, answer: isTool ? this.decide(input) : {} }
  }

  /** Whether a path lies in the thread's directories; a link out of them is not followed. */
  holds(path: string): boolean {
    const whole = resolve(this.directory, path)
    const real = realOf(whole)
    return [this.directory, ...this.beside].some((directory) => isWithin(directory, real))
  }

  /** In the thread's directories, and not where an edit would change what runs later by itself. */
  private isInside({ cwd, tool_input }: HookInput): boolean {
    const path =
      Predicate.hasProperty(tool_input, "file_path") && Predicate.isString(tool_input.file_path)
        ? tool_input.file_path
        : undefined
    if (path === undefined) return false
    return isOwnEdit(resolve(cwd, path), [this.directory, ...this.beside])
  }

  private decide(input: HookInput): Readonly<Record<string, unknown>> {
    const tool = input.tool_name ?? ""
    switch (verdictOf(this.mode, tool, this.isInside(input))) {
      case "pass":
        return {}
      case "ask":
        return verdict("ask", `The mode ${this.mode} asks for ${tool}.`)
      case "deny":
        return verdict("deny", `The mode ${this.mode} does not allow ${tool}.`)
    }
  }
}
