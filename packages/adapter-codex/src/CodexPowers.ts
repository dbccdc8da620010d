import { always, type Power } from "@rejoin/agent-kit/RepoPowers"

/**
 * What Codex reads in a directory whose project its user has trusted in Codex itself; the servers of tools among it are
 * turned off in every thread of ours, and hooks run only where each was attested (docs/providers/codex.md).
 */
export const powers: ReadonlyArray<Power> = [
  { path: ".codex/config.toml", what: always("configuration") },
  { path: ".codex/hooks.json", what: always("hooks") },
  { path: ".codex/rules", what: always("rules for commands") }
]
