import { modelFailure, refusalOf } from "@rejoin/agent-kit/ModelFailure"
import { Option, Schema } from "effect"
import type { AcpProfile, Powers } from "../AcpProfile.ts"
import { geminiStore } from "./GeminiStore.ts"
import { from } from "./Versions.ts"

// Gemini CLI: docs/providers/gemini.md.

const tools = [
  "run_shell_command",
  "write_file",
  "replace",
  "web_fetch",
  "google_web_search",
  "invoke_agent",
  "activate_skill",
  "enter_plan_mode",
  "exit_plan_mode",
  "save_memory"
]

/**
 * The administrator's policy, which goes before the user's own. What Gemini takes for commands that only read is not asked
 * for all the same, and `uniq` writes into the file that is named second.
 */
const policy = (decision: "ask_user" | "deny") =>
  [
    `[[rule]]\ntoolName = ${JSON.stringify(tools)}\ndecision = "${decision}"\npriority = 900\n`,
    `[[rule]]\ntoolName = "run_shell_command"\ncommandPrefix = "uniq"\ndecision = "deny"\npriority = 950\n`
  ].join("\n")

const powers = (decision: "ask_user" | "deny", mode: string, answers: Powers["answers"]): Powers => ({
  args: ["--admin-policy", "{files}/policy.toml"],
  // Directories are never trusted: nothing that a repository brings is loaded.
  env: { GEMINI_CLI_TRUST_WORKSPACE: "false" },
  files: { "policy.toml": policy(decision) },
  set: [{ by: "mode", value: mode }],
  answers
})

const decodeQuota = Schema.decodeUnknownOption(
  Schema.Struct({
    quota: Schema.Struct({
      token_count: Schema.Struct({ input_tokens: Schema.Finite, output_tokens: Schema.Finite })
    })
  })
)
const decodeError = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ error: Schema.Struct({ message: Schema.String }) }))
)

export const gemini: AcpProfile = {
  name: "gemini-cli",
  title: "Gemini CLI",
  isSupported: from("0.61.0"),
  supported: "0.61.0 and later 0.x",
  // Else a second process lives on when the first is killed.
  env: { GEMINI_CLI_NO_RELAUNCH: "1" },
  modes: {
    // Its plan mode is opened by a rule of the user's, and by one that asks: only a denial holds.
    "read-only": powers("deny", "plan", "none"),
    "approval-required": powers("ask_user", "default", "user"),
    "auto-accept-edits": powers("ask_user", "default", "edits"),
    "full-access": powers("ask_user", "default", "all")
  },
  announced: (text) => /^\[MODE_UPDATE\] (\w+)$/.exec(text)?.[1],
  allow: "proceed_once",
  reject: "cancel",
  open: "load",
  quiet: 300,
  escapes: true,
  model: { args: (model) => ["-m", model] },
  usedBy: ({ _meta }) => {
    const count = Option.getOrUndefined(decodeQuota(_meta))?.quota.token_count
    return count === undefined
      ? undefined
      : { used: { inputTokens: count.input_tokens, outputTokens: count.output_tokens }, isSum: false }
  },
  failure: (provider, { code, message }) =>
    modelFailure({
      provider,
      agent: "Gemini",
      message: Option.getOrUndefined(decodeError(message))?.error.message ?? message,
      // The status of HTTP stands where the protocol has its own codes.
      refusal: code > 0 ? refusalOf(code) : undefined,
      detail: { code }
    }),
  store: geminiStore
}
