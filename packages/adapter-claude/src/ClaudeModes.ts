import type { RuntimeMode } from "@rejoin/contracts/RuntimeMode"
import { Record } from "effect"

// What only looks, and what asks the user. Nothing of it changes a file or reaches the network.
const looking = new Set([
  "Read",
  "Glob",
  "Grep",
  "LS",
  "ListAgents",
  "TodoWrite",
  // The list of what is to be done, as it is kept now; nothing of it leaves the session.
  "TaskCreate",
  "TaskUpdate",
  "TaskOutput",
  "TaskList",
  "TaskGet",
  "ToolSearch",
  "Skill",
  "ReportFindings",
  "AskUserQuestion",
  // A sub-agent's own tools come before the gate one by one.
  "Agent",
  "Task"
])

const editing = new Set(["Write", "Edit", "MultiEdit", "NotebookEdit"])

/**
 * Tools with which the agent would change by itself the mode or the directory that the thread has, or begin turns
 * that nobody sent, for which no session may be there any more.
 */
const steering = [
  "EnterPlanMode",
  "ExitPlanMode",
  "EnterWorktree",
  "ExitWorktree",
  "ScheduleWakeup",
  "CronCreate",
  "CronDelete"
]

const writing = ["Bash", ...editing, "Monitor", "Workflow"]

/** Claude's own word for a mode, as it tells it. */
const names: Readonly<Record<RuntimeMode, string>> = {
  "read-only": "dontAsk",
  "approval-required": "default",
  "auto-accept-edits": "acceptEdits",
  "full-access": "bypassPermissions"
}

export const modeName = (mode: RuntimeMode): string => names[mode]

/** The mode that Claude says is in force; `other` where it is none that we set. */
export const modeOf = (name: string): RuntimeMode | "other" =>
  Record.toEntries(names).find(([, own]) => own === name)?.[0] ?? "other"

/**
 * Flags for a mode. Always passed: a resume without them falls back to another one, whatever it had before
 * (docs/providers/claude.md: Permissions).
 */
export const flagsOf = (mode: RuntimeMode): ReadonlyArray<string> => [
  "--permission-mode",
  mode === "approval-required" ? "manual" : names[mode],
  // A repository's own commands run a shell before any tool is asked for, past every gate.
  ...(mode === "full-access" ? [] : ["--disable-slash-commands"]),
  "--disallowedTools",
  [...steering, ...(mode === "read-only" ? writing : [])].join(",")
]

/**
 * The same in the user's own terminal, where no gate of ours stands and they may change the mode themselves: what is
 * read-only has no tool that writes, and their own commands and plans are theirs.
 */
export const terminalFlagsOf = (mode: RuntimeMode): ReadonlyArray<string> => [
  "--permission-mode",
  mode === "approval-required" ? "manual" : names[mode],
  ...(mode === "read-only" ? ["--disallowedTools", writing.join(",")] : [])
]

/** Whether there are slash commands at all (`flagsOf`). */
export const takesCommands = (mode: RuntimeMode): boolean => mode === "full-access"

export type Verdict = "pass" | "ask" | "deny"

/**
 * What becomes of a tool call before Claude's own rules are asked. The user's rules and hooks may allow what the
 * mode does not; an `ask` or `deny` of ours beats them (docs/providers/claude.md: Permissions). `inside` says whether
 * what it edits lies in the thread's own directories.
 */
export const verdictOf = (mode: RuntimeMode, tool: string, inside: boolean): Verdict => {
  if (mode === "full-access" || looking.has(tool)) return "pass"
  if (mode === "read-only") return "deny"
  return mode === "auto-accept-edits" && editing.has(tool) && inside ? "pass" : "ask"
}
