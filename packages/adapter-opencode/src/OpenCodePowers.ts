import { always, keysBut, type Power } from "@rejoin/agent-kit/RepoPowers"
import type { Brought } from "@rejoin/contracts/Trust"

/** Keys of its configuration by which a directory only says how things look. */
const harmless = [
  "$schema",
  "theme",
  "keybinds",
  "username",
  "instructions",
  "share",
  "snapshot",
  "autoupdate"
]

const configuration = keysBut(harmless)

/**
 * What OpenCode reads in a directory (docs/providers/opencode.md: What a directory brings). Plugins are what it runs
 * in the server itself, whatever it is told: of them no switch of this version keeps it.
 */
export const powers: ReadonlyArray<Power> = [
  ...["opencode.json", "opencode.jsonc", ".opencode/opencode.json", ".opencode/opencode.jsonc"].map(
    (path) => ({
      path,
      what: configuration
    })
  ),
  ...["plugin", "plugins"].map((name) => ({ path: `.opencode/${name}`, what: always("plugins") })),
  ...["tool", "tools"].map((name) => ({ path: `.opencode/${name}`, what: always("tools") })),
  ...["agent", "agents", "mode", "modes"].map((name) => ({
    path: `.opencode/${name}`,
    what: always("agents")
  })),
  ...["command", "commands"].map((name) => ({ path: `.opencode/${name}`, what: always("commands") })),
  ...["tui.json", "tui.jsonc"].map((path) => ({ path, what: configuration }))
]

/** In the environment of a server of ours, of OpenCode's import and of its own interface, where nothing is trusted. */
export const keptOut = { OPENCODE_DISABLE_PROJECT_CONFIG: "1" }

/** As OpenCode looks for what a directory tells it in words. */
export const memory = ["AGENTS.md", "CLAUDE.md", "CONTEXT.md"]

/**
 * Also skills that other agents brought: its own interface makes commands of them, which run what they hold. The
 * server, which never runs a command, leaves the user's own of these (`~/.claude/skills`) to be read.
 */
export const keptOutOfInterface = { ...keptOut, OPENCODE_DISABLE_EXTERNAL_SKILLS: "1" }

/** These are loaded, or fetched, past that switch by its second configuration; what cannot be read may name some. */
export const isKeptOut = ({ hash, what }: Brought): boolean =>
  hash !== "" && !/\b(plugins?|references?|skills)\b|not readable/.test(what)
