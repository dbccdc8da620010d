import { always, findPowers, type Power } from "@rejoin/agent-kit/RepoPowers"
import { Effect, Option, Schema } from "effect"
import type { AcpProfile, Powers, Setting } from "../AcpProfile.ts"
import { copilotHome, copilotStore } from "./CopilotStore.ts"
import { from } from "./Versions.ts"

// GitHub Copilot CLI: docs/providers/copilot.md.

const modeOf = (name: "agent" | "plan") => `https://agentclientprotocol.com/protocol/session-modes#${name}`

const set = (mode: "agent" | "plan", all: "on" | "off"): ReadonlyArray<Setting> => [
  { by: "option", id: "mode", value: modeOf(mode) },
  { by: "option", id: "allow_all", value: all }
]

const asking = { set: set("agent", "off") }

/** Loaded without a question. Nothing keeps them out, and they allow what our modes do not. */
const hooks: ReadonlyArray<Power> = [
  { path: ".github/hooks", what: always("hooks that run commands and allow tools") }
]
/** Loaded where the user's own Copilot trusts the directory. */
const trusted: ReadonlyArray<Power> = [
  { path: ".mcp.json", what: always("MCP servers") },
  { path: ".claude/settings.json", what: always("hooks") },
  { path: ".github/copilot/settings.json", what: always("hooks") },
  { path: ".github/copilot/settings.local.json", what: always("hooks") }
]

const Config = Schema.fromJsonString(
  Schema.Struct({ trustedFolders: Schema.optionalKey(Schema.Array(Schema.String)) })
)
const decodeConfig = Schema.decodeUnknownOption(Config)

const decodeExit = Schema.decodeUnknownOption(
  Schema.Struct({
    contents: Schema.Array(
      Schema.Struct({
        type: Schema.Literal("shell_exit"),
        exitCode: Schema.optionalKey(Schema.Int),
        cwd: Schema.optionalKey(Schema.String)
      })
    )
  })
)
const decodeText = Schema.decodeUnknownOption(Schema.Struct({ content: Schema.String }))

const plan: Powers = {
  // Tools that are not there are used by nobody, whatever a hook or a command allows.
  args: ["--available-tools=view,grep,glob"],
  set: set("plan", "off"),
  answers: "none"
}

export const copilot: AcpProfile = {
  name: "Copilot",
  title: "GitHub Copilot",
  isSupported: from("1.0.102"),
  supported: "1.0.102 and later 1.x",
  env: { COPILOT_AUTO_UPDATE: "false" },
  // With the first, everything is allowed while it says that nothing is.
  without: ["COPILOT_ALLOW_ALL", "COPILOT_ASSISTED_APPROVAL"],
  modes: {
    "read-only": plan,
    "approval-required": { ...asking, answers: "user" },
    "auto-accept-edits": { ...asking, answers: "edits" },
    "full-access": { set: set("agent", "on"), answers: "all" }
  },
  allow: "allow_once",
  reject: "reject_once",
  open: "load",
  moves: true,
  escapes: true,
  model: { args: (model) => ["--model", model] },
  systemPrompt: (text) => ({
    env: { COPILOT_CUSTOM_INSTRUCTIONS_DIRS: "{files}" },
    files: { ".github/instructions/rejoin.instructions.md": `---\napplyTo: "**"\n---\n\n${text}\n` }
  }),
  tool: ({ rawOutput }) => {
    const exit = Option.getOrUndefined(decodeExit(rawOutput))?.contents[0]
    const text = Option.getOrUndefined(decodeText(rawOutput))?.content
    return {
      ...(exit?.cwd !== undefined && { cwd: exit.cwd }),
      ...(exit?.exitCode !== undefined && { exitCode: exit.exitCode }),
      ...(text !== undefined && { output: text.replace(/\n?<shellId: \d+ [^>]*>\s*$/, "") })
    }
  },
  isNoise: (text) => /^(Info: |Warning: \d+ tool call|Error: \d{3} )/.test(text),
  usedBy: ({ usage }) =>
    usage == null
      ? undefined
      : {
          used: { inputTokens: usage.inputTokens ?? 0, outputTokens: usage.outputTokens ?? 0 },
          isSum: true
        },
  brings: (fs, environment) => {
    const home = copilotHome(environment)
    const find = (powers: ReadonlyArray<Power>) => findPowers({ fs, agent: "copilot", powers, own: [home] })
    const always = find(hooks)
    const more = find([...hooks, ...trusted])
    return (directory) =>
      fs.readFileString(`${home}/config.json`).pipe(
        Effect.map((text) => Option.getOrUndefined(decodeConfig(text))?.trustedFolders ?? []),
        Effect.orElseSucceed(() => [] as ReadonlyArray<string>),
        Effect.flatMap((folders) =>
          folders.some((folder) => directory === folder || directory.startsWith(`${folder}/`))
            ? more(directory)
            : always(directory)
        )
      )
  },
  store: copilotStore
}
