import { always, keysBut, type Power } from "@rejoin/agent-kit/RepoPowers"

/** Keys of its settings by which a directory runs nothing, asks nobody else and allows nothing. */
const harmless = [
  "$schema",
  "attribution",
  "cleanupPeriodDays",
  "companyAnnouncements",
  "includeCoAuthoredBy",
  "language",
  "spinnerTipsEnabled"
]

/** What Claude reads in a directory (docs/providers/claude.md: What a directory brings). */
export const powers: ReadonlyArray<Power> = [
  { path: ".claude/settings.json", what: keysBut(harmless) },
  { path: ".claude/settings.local.json", what: keysBut(harmless) },
  { path: ".mcp.json", what: keysBut([]) },
  { path: ".claude/agents", what: always("agents") },
  { path: ".claude/commands", what: always("commands") },
  { path: ".claude/skills", what: always("skills") },
  { path: ".claude/hooks", what: always("programs of hooks") }
]

/**
 * With which sources Claude is started: without trust the user's own alone, by which nothing of a directory is loaded,
 * in a terminal neither. The memory of the directory, which is text, comes by another way (`ClaudeMemory`).
 */
export const sourcesOf = (loads: string | null): ReadonlyArray<string> =>
  loads === null ? ["--setting-sources", "user"] : []
